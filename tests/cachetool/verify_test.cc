// SPDX-License-Identifier: MIT
// C1, C2, C3, C11: what the disk has changed is found, named, and with --repair fetched again.
#include <filesystem>

#include "tests/cachetool/cachetool_fixture.h"

namespace regfs::test::verify_test {
namespace {

class CacheVerify : public CacheToolTest {
 protected:
  std::string read_through(const MountedRegfs& mount, const std::string& repository) {
    const DigestOutcome read = digest_of_file(mount / registry_.host() / repository / "1" / "linux-amd64.tar");
    return read.digest ? read.digest->str() : "error " + std::to_string(read.error);
  }
};

TEST_F(CacheVerify, NamesAFlippedBitOfTheSameSizeAndTimeAndWithRepairTheNextPullFetches) {
  const SampleImage image = pulled_image();
  const SampleLayer& layer = image.layers[0];
  EXPECT_EQ(tool({"verify"}).status, 0);
  flip_a_bit(layer.digest);

  const Finished found = tool({"verify"});
  EXPECT_EQ(found.status, kBadData);
  EXPECT_TRUE(contains(found.error, "regfs-cache: " + layer.digest.str() + " is damaged: its bytes hash to sha256:"));
  EXPECT_FALSE(contains(found.error, image.layers[1].digest.str()));
  EXPECT_TRUE(contains(found.output, "4 blobs, 3.0 MiB: 1 damaged, 0 dropped"));
  EXPECT_TRUE(has(layer.digest));

  const nlohmann::json repaired = tool_json({"verify", "--repair"});
  ASSERT_EQ(repaired["damaged"].size(), 1u);
  EXPECT_EQ(repaired["damaged"][0]["digest"], layer.digest.str());
  EXPECT_EQ(repaired["damaged"][0]["dropped"], true);
  EXPECT_FALSE(has(layer.digest));

  registry_.journal().forget();
  ASSERT_EQ(pull({"--platform=linux/amd64", "-o", "again.tar", name_of("app", "1")}).status, 0);
  EXPECT_TRUE(is_archive(in("again.tar"), model_of(image, "app", "1")));
  EXPECT_GT(requests_for("app", layer), 0u);
  EXPECT_EQ(requests_for("app", image.layers[1]), 0u);
  EXPECT_EQ(tool({"verify"}).status, 0);
}

TEST_F(CacheVerify, FindsWhatIsTruncatedAndWhatIsALinkAndRepairsBoth) {
  const SampleImage image = pulled_image();
  std::filesystem::resize_file(published_path(cache_, image.layers[0].digest), kMiB);
  const std::string outside = scratch_ / "outside";
  const std::string linked = published_path(cache_, image.layers[1].digest);
  std::filesystem::rename(linked, outside);
  std::filesystem::create_symlink(outside, linked);

  const Finished found = tool({"verify"});
  EXPECT_EQ(found.status, kBadData);
  EXPECT_TRUE(contains(found.error, image.layers[0].digest.str() + " is damaged: "));
  EXPECT_TRUE(contains(found.error, image.layers[1].digest.str() + " is damaged: it is no regular file"));
  EXPECT_EQ(tool({"verify", "--repair"}).status, 0);
  EXPECT_FALSE(has(image.layers[0].digest));
  EXPECT_FALSE(exists(linked));
  EXPECT_EQ(stat_of(outside)->st_size, static_cast<off_t>(kMiB)) << "what a link leads to is left alone";
}

TEST_F(CacheVerify, LeavesTheCacheAsItIsWithoutRepair) {
  const SampleImage image = pulled_image();
  flip_a_bit(image.layers[0].digest);
  const auto state = [&] {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(cache_)) names.push_back(entry.path());
    std::sort(names.begin(), names.end());
    return names;
  };
  const std::vector<std::string> before = state();
  EXPECT_EQ(tool({"verify"}).status, kBadData);
  EXPECT_EQ(state(), before);
}

TEST_F(CacheVerify, RepairsBesideALiveMountWhichThenFetchesAgain) {
  if (const std::string why = why_no_mounts(); !why.empty()) GTEST_SKIP() << why;
  const SampleImage image = pulled_image();
  const std::string right = model_of(image, "app", "1").digest().str();
  const MountedRegfs mount({.cache_directory = cache_});
  ASSERT_TRUE(mount.mounted()) << mount.log();
  flip_a_bit(image.layers[0].digest);
  EXPECT_EQ(tool({"verify", "--repair"}).status, 0);
  registry_.journal().forget();
  EXPECT_EQ(read_through(mount, "app"), right);
  EXPECT_GT(requests_for("app", image.layers[0]), 0u);
}

}  // namespace
}  // namespace regfs::test::verify_test
