// SPDX-License-Identifier: MIT
// What names there are, what they cost, and what stat says of them.
#include <unistd.h>

#include "base/sha256.h"
#include "tests/mount/mount_fixture.h"
#include "tests/support/rude_answers.h"

namespace regfs::test::tree_test {
namespace {

using Names = std::vector<std::string>;

std::vector<std::string> numbered_tags(size_t count) {
  std::vector<std::string> tags;
  for (size_t number = 0; number < count; ++number) tags.push_back("v" + std::to_string(10'000 + number));
  return tags;
}

class TreeTest : public MountTest {
 protected:
  const SampleIndex index_ = multi_platform(10, 100'000);
  const SampleImage& amd64_ = index_.images[0];
};

TEST_F(TreeTest, HasNoNameThatTheRegistryDoesNotHave) {
  registry_.push("app", "latest", index_);
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const MountPath repository = mount / registry_.host() / "app";
  EXPECT_EQ(stat_error(repository / "nothing"), ENOENT);
  EXPECT_EQ(open_error(repository / "nothing" / "linux-amd64.tar"), ENOENT);
  EXPECT_EQ(list_directory(repository / "nothing").error, ENOENT);
  EXPECT_EQ(stat_error(repository / "latest" / "linux-s390x.tar"), ENOENT);
  EXPECT_EQ(stat_error(repository / "latest" / "unknown-unknown.tar"), ENOENT);
  EXPECT_EQ(stat_error(repository / ("sha256:" + std::string(64, '0'))), ENOENT);
  EXPECT_EQ(stat_error(repository / "sha256:xyz"), ENOENT);
  EXPECT_EQ(stat_error(repository / "latest" / "linux-amd64.tar" / "x"), ENOTDIR);
  EXPECT_EQ(list_directory(mount / registry_.host() / "nothing").error, ENOENT);
  EXPECT_EQ(open_error(mount / registry_.host() / "nothing" / "latest" / "linux-amd64.tar"), ENOENT);
}

TEST_F(TreeTest, AsksNobodyForNamesInItsRoot) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(stat_error(mount / ".git"), ENOENT);
  EXPECT_EQ(stat_error(mount / "Upper"), ENOENT);
  EXPECT_EQ(stat_error(mount / registry_.host()), 0);
  EXPECT_EQ(list_directory(mount.mountpoint()).error, 0);
  EXPECT_TRUE(registry_.journal().entries().empty());
}

TEST_F(TreeTest, ListsTagsAndPlatforms) {
  registry_.push("app", "latest", index_);
  registry_.push("app", "v1", make_index({amd64_}));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const MountPath repository = mount / registry_.host() / "app";
  EXPECT_EQ(list_directory(repository).names, (Names{"latest", "v1"}));
  EXPECT_EQ(list_directory(repository / "latest").names,
            (Names{"linux-amd64.tar", "linux-arm-v7.tar", "linux-arm64.tar"}));
  EXPECT_EQ(list_directory(repository / "v1").names, Names{"linux-amd64.tar"});
  EXPECT_EQ(list_directory(mount.mountpoint()).names, Names{registry_.host()});
}

TEST_F(TreeTest, ShowsTheNamedRegistryAsItsRoot) {
  registry_.push("acme/api", "v1", index_);
  const MountedRegfs mount({.host = registry_.host()});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(list_directory(mount / "acme" / "api").names, Names{"v1"});
  EXPECT_EQ(stat_error(mount / "acme" / "api" / "v1" / "linux-amd64.tar"), 0);
  EXPECT_EQ(list_directory(mount / "nothing").error, ENOENT);
}

TEST_F(TreeTest, FindsRepositoriesBelowAPath) {
  registry_.push("acme/team/api", "v1", index_);
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const MountPath repository = mount / registry_.host() / "acme" / "team" / "api";
  EXPECT_EQ(list_directory(repository).names, Names{"v1"});
  const auto status = stat_of(repository / "v1" / "linux-arm-v7.tar");
  ASSERT_TRUE(status);
  EXPECT_EQ(static_cast<uint64_t>(status->st_size), model_of(index_.images[2], "acme/team/api", "v1").size_bytes());
}

TEST_F(TreeTest, ListsTheRepositoriesBelowARepositoryBesideItsTagsForOneRequestMore) {
  const SampleImage image = make_image({});
  registry_.push("team/app", "v1", image);
  registry_.push("team/app/sidecar", "v2", image);
  registry_.push("team/other", "v3", image);
  registry_.break_path("/v2/_catalog", rewrites([](const ScriptedExchange&, RawAnswer& answer) {
                         answer = RawAnswer{};
                         answer.set_body(R"({"repositories":["team/app","team/app/sidecar","team/other"]})");
                       }));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const MountPath team = mount / registry_.host() / "team";
  EXPECT_EQ(list_directory(team / "app").names, (std::vector<std::string>{"sidecar", "v1"})) << mount.log();
  EXPECT_EQ(list_directory(team / "app" / "sidecar").names, std::vector<std::string>{"v2"});
  EXPECT_EQ(list_directory(team / "other").names, std::vector<std::string>{"v3"});
  EXPECT_EQ(list_directory(team).names, (std::vector<std::string>{"app", "other"}));
  EXPECT_EQ(registry_.journal().count("", "/v2/_catalog"), 1u);
}

TEST_F(TreeTest, ShowsATagThatIsOneManifestUnderThePlatformOfItsConfig) {
  registry_.push("app", "oci", make_image({.layers = {}, .platform = {"linux", "arm", "v6"}}));
  registry_.push("app", "docker", make_image({.layers = {}, .flavour = Flavour::docker}));
  registry_.push("app", "list", multi_platform(20, 5000, Flavour::docker));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const MountPath repository = mount / registry_.host() / "app";
  EXPECT_EQ(list_directory(repository / "oci").names, Names{"linux-arm-v6.tar"});
  EXPECT_EQ(list_directory(repository / "docker").names, Names{"linux-amd64.tar"});
  EXPECT_EQ(list_directory(repository / "list").names,
            (Names{"linux-amd64.tar", "linux-arm-v7.tar", "linux-arm64.tar"}));
}

TEST_F(TreeTest, ResolvesBothSpellingsOfArm64) {
  registry_.push("app", "latest", index_);
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const auto listed = stat_of(tar_of(mount, "app", "latest", "linux-arm64"));
  const auto other = stat_of(tar_of(mount, "app", "latest", "linux-arm64-v8"));
  ASSERT_TRUE(listed && other);
  EXPECT_EQ(listed->st_ino, other->st_ino);
  EXPECT_EQ(static_cast<uint64_t>(listed->st_size), model_of(index_.images[1], "app", "latest").size_bytes());
}

TEST_F(TreeTest, ResolvesADigestThatItDoesNotList) {
  registry_.push("app", "latest", index_);
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const MountPath repository = mount / registry_.host() / "app";
  EXPECT_EQ(list_directory(repository / index_.digest.str()).names,
            (Names{"linux-amd64.tar", "linux-arm-v7.tar", "linux-arm64.tar"}));
  EXPECT_EQ(list_directory(repository / amd64_.digest.str()).names, Names{"linux-amd64.tar"});
  EXPECT_EQ(list_directory(repository).names, Names{"latest"});
}

TEST_F(TreeTest, LeavesJunkOutOfATagList) {
  registry_.list_names("app", {"", ".", "..", "a/b", "tab\there", "good", std::string(300, 'x'), "-dash",
                               "sha256-" + std::string(64, 'a') + ".sig"});
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(list_directory(mount / registry_.host() / "app").names, Names{"good"});
}

TEST_F(TreeTest, ListsTwoThousandTagsWholeAndAsksForNoManifest) {
  const std::vector<std::string> tags = numbered_tags(2000);
  for (const bool absolute : {false, true}) {
    registry_.list_names(absolute ? "absolute" : "relative", tags);
    registry_.set_page_size(100);
    registry_.set_absolute_links(absolute);
    registry_.journal().forget();
    const MountedRegfs mount;
    REGFS_ASSERT_MOUNTED(mount);
    const MountPath repository = mount / registry_.host() / (absolute ? "absolute" : "relative");
    const ListOutcome listing = list_directory(repository);
    EXPECT_EQ(listing.error, 0);
    EXPECT_TRUE(listing.names == tags) << listing.names.size() << " tags";
    for (const std::string& tag : listing.names) ASSERT_EQ(stat_error(repository / tag), 0) << tag;
    EXPECT_EQ(registry_.journal().count("", "/manifests/"), 0u);
    EXPECT_EQ(registry_.journal().count("", "/blobs/"), 0u);
    for (const JournalEntry& entry : registry_.journal().entries()) {
      if (entry.path.ends_with("/tags/list") && entry.query.find("last=") == std::string::npos) {
        EXPECT_EQ(entry.query.find("n="), std::string::npos) << "the first page is asked for without a size";
      }
    }
  }
}

TEST_F(TreeTest, F8_AsksForNoLayerByteToListStatAndOpen) {
  registry_.push("app", "latest", index_);
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const Finished ls = run({"ls", "-lR", mount / registry_.host() / "app"});
  EXPECT_EQ(ls.status, 0) << ls.error;
  EXPECT_TRUE(contains(ls.output, "linux-arm-v7.tar"));
  for (const char* const platform : {"linux-amd64", "linux-arm64", "linux-arm-v7"}) {
    EXPECT_EQ(open_error(tar_of(mount, "app", "latest", platform)), 0);
  }
  const auto status = stat_of(tar_of(mount, "app", "latest"));
  ASSERT_TRUE(status);
  EXPECT_EQ(static_cast<uint64_t>(status->st_size), model_of(index_.images[0], "app", "latest").size_bytes());
  for (const SampleImage& image : index_.images) EXPECT_EQ(layer_requests("app", image), 0u);
}

TEST_F(TreeTest, TellsAttributesThatProgramsCanRelyOn) {
  registry_.push("app", "latest", index_);
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const auto directory = stat_of(mount / registry_.host() / "app" / "latest");
  const auto file = stat_of(tar_of(mount, "app", "latest"));
  ASSERT_TRUE(directory && file);
  EXPECT_EQ(directory->st_mode, static_cast<mode_t>(S_IFDIR | 0555));
  EXPECT_EQ(file->st_mode, static_cast<mode_t>(S_IFREG | 0444));
  EXPECT_EQ(file->st_uid, ::geteuid());
  EXPECT_EQ(file->st_gid, ::getegid());
  EXPECT_EQ(static_cast<uint64_t>(file->st_size), model_of(amd64_, "app", "latest").size_bytes());
  EXPECT_EQ(file->st_mtime, 1714979289) << "the config's created, 2024-05-06T07:08:09Z";
  EXPECT_GT(file->st_blocks, 0) << "tar -S takes 0 blocks for a hole";
  const OpenOutcome opened = open_file(tar_of(mount, "app", "latest"));
  ASSERT_EQ(opened.error, 0);
  EXPECT_EQ(::lseek(opened.fd.get(), 0, SEEK_HOLE), file->st_size);
  EXPECT_EQ(mounted_type(mount.mountpoint()), "fuse.regfs");
}

TEST_F(TreeTest, KeepsInodeNumbersOverRemounts) {
  registry_.push("app", "latest", index_);
  std::vector<ino_t> seen;
  for (int round = 0; round < 2; ++round) {
    const MountedRegfs mount;
    REGFS_ASSERT_MOUNTED(mount);
    const auto directory = stat_of(mount / registry_.host() / "app" / "latest");
    const auto file = stat_of(tar_of(mount, "app", "latest"));
    ASSERT_TRUE(directory && file);
    EXPECT_NE(directory->st_ino, file->st_ino);
    seen.insert(seen.end(), {directory->st_ino, file->st_ino});
  }
  EXPECT_EQ(seen[0], seen[2]);
  EXPECT_EQ(seen[1], seen[3]);
}

TEST_F(TreeTest, FollowsAMovedTagWhileAnOpenFileStaysWhatItWas) {
  const SampleImage after = make_image({.layers = {seeded_layer(99, 40'000)}});
  registry_.push("app", "latest", amd64_);
  const MountedRegfs mount({.arguments = {"--tag-ttl", "1"}});
  REGFS_ASSERT_MOUNTED(mount);
  const std::string path = tar_of(mount, "app", "latest");
  const OpenOutcome held = open_file(path);
  ASSERT_EQ(held.error, 0);
  const auto before = stat_of(path);
  ASSERT_TRUE(before);

  registry_.push("app", "latest", after);
  const ArchiveModel moved = model_of(after, "app", "latest");
  ASSERT_TRUE(eventually(kAfterFailureMemory, [&] {
    const auto now = stat_of(path);
    return now && static_cast<uint64_t>(now->st_size) == moved.size_bytes();
  }));
  EXPECT_NE(stat_of(path)->st_ino, before->st_ino);
  EXPECT_TRUE(same_bytes(read_file(path).bytes, moved.bytes()));
  const ArchiveModel original = model_of(amd64_, "app", "latest");
  EXPECT_TRUE(same_bytes(read_at(held.fd.get(), 0, UINT64_MAX).bytes, original.bytes()));
}

TEST_F(TreeTest, LosesATagThatTheRegistryHasDropped) {
  registry_.push("app", "latest", index_);
  registry_.push("app", "old", index_);
  const MountedRegfs mount({.arguments = {"--tag-ttl", "1"}});
  REGFS_ASSERT_MOUNTED(mount);
  const MountPath tag = mount / registry_.host() / "app" / "old";
  ASSERT_EQ(stat_error(tag), 0);
  registry_.drop_tag("app", "old");
  EXPECT_TRUE(eventually(kAfterFailureMemory, [&] { return stat_error(tag) == ENOENT; }));
}

TEST_F(TreeTest, ServesTheLastKnownAnswerWhenTheRegistryIsGone) {
  registry_.push("app", "latest", index_);
  const TempDir cache;
  {
    MountedRegfs mount({.cache_directory = cache.path()});
    REGFS_ASSERT_MOUNTED(mount);
    ASSERT_EQ(list_directory(mount / registry_.host() / "app").error, 0);
    ASSERT_EQ(read_file(tar_of(mount, "app", "latest")).error, 0);
    ASSERT_EQ(mount.stop(), 0);
  }
  registry_.refuse_connections();
  const MountedRegfs mount({.arguments = {"--tag-ttl", "0"}, .cache_directory = cache.path()});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(list_directory(mount / registry_.host() / "app").names, Names{"latest"});
  EXPECT_TRUE(same_bytes(read_file(tar_of(mount, "app", "latest")).bytes, model_of(amd64_, "app", "latest").bytes()));
  EXPECT_TRUE(contains(mount.log(), registry_.host())) << "the log says that the registry is gone";
}

}  // namespace
}  // namespace regfs::test::tree_test
