// SPDX-License-Identifier: MIT
// What was carried here in a file is not fetched; and no file, however hostile, puts anything else into the cache.
#include <sys/mount.h>

#include "tests/cachetool/cachetool_fixture.h"
#include "tests/support/gzip.h"
#include "tests/support/tar_builder.h"

namespace regfs::test::import_test {
namespace {

class CacheImport : public CacheToolTest {
 protected:
  CacheImport() { registry_.push("app", "1", image_); }

  // As another machine has pulled it.
  std::string carried_archive() {
    write("carried.tar", model_of(image_, "app", "1").bytes());
    return in("carried.tar");
  }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(in(name), std::ios::binary | std::ios::trunc) << bytes;
  }
  // Nothing but the meaning of the tag is asked.
  void expect_that_a_pull_fetches_nothing() {
    registry_.journal().forget();
    const Pulled pulled = pull({"--platform=linux/amd64", "-o", "pulled.tar", name_of("app", "1")});
    ASSERT_EQ(pulled.status, 0) << pulled.error;
    EXPECT_TRUE(contains(pulled.error, "layers 2 of 2 from the cache"));
    EXPECT_TRUE(is_archive(in("pulled.tar"), model_of(image_, "app", "1")));
    EXPECT_EQ(sent_bytes(), 0u);
  }
  void expect_refused(const std::string& name, const std::string& bytes, const std::string& words) {
    write(name, bytes);
    const Finished finished = tool({"import", in(name)});
    EXPECT_EQ(finished.status, kBadData) << name;
    EXPECT_EQ(finished.output, "");
    EXPECT_TRUE(contains(finished.error, "regfs-cache: " + in(name) + ": "));
    EXPECT_TRUE(contains(finished.error, words));
    EXPECT_FALSE(exists(cache_)) << name << " left something behind";
  }

  const SampleImage image_ =
      make_image({.layers = {seeded_layer(1, 3 * kMiB), gzip_layer("etc/motd", std::string(200'000, 'm'))}});
};

TEST_F(CacheImport, RefusesHostileArchivesAndFilesNothing) {
  const ArchiveModel model = model_of(image_, "app", "1");
  const std::string good = model.bytes();
  std::string damaged = good;
  damaged[model.member(image_.layers[1]).offset + 1000] ^= 1;
  expect_refused("damaged.tar", damaged, "is damaged: its bytes hash to");
  expect_refused("truncated.tar", good.substr(0, good.size() - 2 * kMiB), "truncated");
  expect_refused("no-end.tar", good.substr(0, good.size() - 1024), "truncated");
  expect_refused("outside.tar", TarBuilder().file("../index.json", "{}").raw(good).bytes(), "leads out of the archive");
  expect_refused("link.tar", TarBuilder().header("index.json", '2', 0).bytes(), "links are not followed");
  expect_refused("huge.tar", TarBuilder().header("index.json", '0', uint64_t{1} << 50).bytes(), "truncated");
  expect_refused("ten-gib.tar", TarBuilder().header("index.json", '0', uint64_t{10} << 30).bytes(), "truncated");
  expect_refused("absolute.tar", TarBuilder().file("/etc/passwd", "x").raw(good).bytes(), "leads out of the archive");
  expect_refused("hard-link.tar", TarBuilder().header("index.json", '1', 0).bytes(), "links are not followed");
  SampleImage partial = image_;
  partial.layers.pop_back();
  expect_refused("partial.tar", model_of(partial, "app", "1").bytes(),
                 model_of(image_, "app", "1").member(image_.layers[1]).name + ", which is not there");
  expect_refused("text.tar", std::string(10'000, 'x'), "is no tar archive");
  expect_refused("compressed.tar", gzip_stored(good), "gunzip");
  expect_refused("other.tar", tar_of_one_file("etc/motd", "hello"), "neither an index.json nor a manifest.json");
}

TEST_F(CacheImport, SaysWhatIsWrongWithItsWords) {
  EXPECT_EQ(tool({"import"}).status, kUsage);
  const Finished missing = tool({"import", in("none.tar")});
  EXPECT_EQ(missing.status, kNotFound);
  EXPECT_TRUE(contains(missing.error, "there is no " + in("none.tar")));
  const Finished pipe = tool({"import", "/dev/null"});
  EXPECT_EQ(pipe.status, kUsage);
  EXPECT_FALSE(exists(cache_));
}

TEST_F(CacheImport, OfOurOwnArchiveLeavesNothingToFetch) {
  const nlohmann::json report = tool_json({"import", carried_archive()});
  EXPECT_EQ(report["filed"]["count"], 4);
  EXPECT_EQ(report["images"][0]["digest"], image_.digest.str());
  EXPECT_EQ(report["images"][0]["platform"], "linux/amd64");
  EXPECT_EQ(tool_json({"stats"})["parts"]["count"], 0);
  expect_that_a_pull_fetches_nothing();
  EXPECT_EQ(tool({"verify"}).status, 0);

  const std::string by_digest = registry_.host() + "/app@" + image_.digest.str();
  EXPECT_EQ(pull({"--offline", "-o", "offline.tar", by_digest}).status, 0);

  const nlohmann::json again = tool_json({"import", carried_archive()});
  EXPECT_EQ(again["filed"]["count"], 0);
  EXPECT_EQ(again["present"]["count"], 4);
}

TEST_F(CacheImport, BesideALiveMountLeavesItNothingToFetch) {
  if (const std::string why = why_no_mounts(); !why.empty()) GTEST_SKIP() << why;
  const MountedRegfs mount({.cache_directory = cache_});
  ASSERT_TRUE(mount.mounted()) << mount.log();
  ASSERT_EQ(tool({"import", carried_archive()}).status, 0);
  registry_.journal().forget();
  EXPECT_TRUE(is_archive(mount / registry_.host() / "app" / "1" / "linux-amd64.tar", model_of(image_, "app", "1")));
  EXPECT_EQ(sent_bytes(), 0u);
}

TEST_F(CacheImport, IntoADiskThatIsTooSmallSaysSoAndGoesOnWhereThereIsRoom) {
  const std::string disk = scratch_ / "disk";
  ::mkdir(disk.c_str(), 0700);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=3m") != 0) GTEST_SKIP() << "no tmpfs can be mounted here";
  cache_ = disk + "/cache";
  const std::string carried = carried_archive();
  const Finished full = tool({"import", carried});
  EXPECT_EQ(full.status, kDiskFailure);
  EXPECT_TRUE(contains(full.error, "is full"));
  EXPECT_EQ(tool({"verify"}).status, 0);
  EXPECT_EQ(::mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, "size=16m"), 0);
  EXPECT_EQ(tool({"import", carried}).status, 0);
  expect_that_a_pull_fetches_nothing();
  ::umount2(disk.c_str(), MNT_DETACH);
}

TEST_F(CacheImport, OfALayoutInADirectoryLeavesNothingToFetch) {
  std::filesystem::create_directory(in("layout"));
  ASSERT_EQ(run({"tar", "-C", in("layout"), "-xf", carried_archive()}).status, 0);
  std::filesystem::remove(in("layout/manifest.json"));
  const Finished finished = tool({"import", in("layout")});
  ASSERT_EQ(finished.status, 0) << finished.error;
  EXPECT_TRUE(contains(finished.output, "image " + image_.digest.str() + " linux/amd64\nfiled 4 blobs, "));
  expect_that_a_pull_fetches_nothing();
}

TEST_F(CacheImport, OfDockerSaveWithCompressedLayersLeavesTheManifestToFetch) {
  TarBuilder builder;
  builder.file("config.json", image_.config)
      .file("1.tar.gz", bytes_of(*image_.layers[0].content))
      .file("2.tar.gz", bytes_of(*image_.layers[1].content))
      .file("manifest.json", R"([{"Config":"config.json","RepoTags":null,"Layers":["1.tar.gz","2.tar.gz"]}])");
  write("saved.tar", builder.bytes());
  EXPECT_EQ(tool_json({"import", in("saved.tar")})["filed"]["count"], 3);
  expect_that_a_pull_fetches_nothing();
}

TEST_F(CacheImport, OfDockerSaveWithPlainLayersSaysWhyNothingIsFiled) {
  TarBuilder builder;
  builder.file("config.json", image_.config)
      .file("x/layer.tar", tar_of_one_file("etc/motd", "hello"))
      .file("manifest.json", R"([{"Config":"config.json","RepoTags":["app:1"],"Layers":["x/layer.tar"]}])");
  expect_refused("saved.tar", builder.bytes(), "no layer in it is compressed");
}

TEST_F(CacheImport, GoesOnWithWhatAPullHasLeft) {
  const std::string carried = carried_archive();
  registry_.break_path(FakeRegistry::blob_path("app", image_.layers[0].digest), cuts_at(2 * kMiB));
  EXPECT_NE(pull({"--platform=linux/amd64", "--read-timeout=2", "-o", "x.tar", name_of("app", "1")}).status, 0);
  registry_.mend(FakeRegistry::blob_path("app", image_.layers[0].digest));
  EXPECT_EQ(tool({"import", carried}).status, 0);
  EXPECT_EQ(tool_json({"stats"})["parts"]["count"], 0);
  expect_that_a_pull_fetches_nothing();
}

TEST_F(CacheImport, RepairsWhatIsDamagedInTheCache) {
  const std::string carried = carried_archive();
  ASSERT_EQ(tool({"import", carried}).status, 0);
  std::filesystem::resize_file(published_path(cache_, image_.layers[0].digest), 1000);
  EXPECT_EQ(tool({"import", carried}).status, 0);
  EXPECT_EQ(tool({"verify"}).status, 0);
  expect_that_a_pull_fetches_nothing();
}

}  // namespace
}  // namespace regfs::test::import_test
