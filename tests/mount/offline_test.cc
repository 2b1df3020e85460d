// SPDX-License-Identifier: MIT
// --offline: the tree and the bytes of the cache, also of one copied from elsewhere, and no connection.
#include <filesystem>

#include "tests/mount/mount_fixture.h"
#include "tests/support/rude_answers.h"

namespace regfs::test::offline_test {
namespace {

class Offline : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (IsSkipped()) return;
    registry_.push("app", "1", image_);
    registry_.push("app", "2", other_);
    MountedRegfs online({.cache_directory = scratch_ / "cache"});
    REGFS_ASSERT_MOUNTED(online);
    list_directory(online / registry_.host() / "app");
    ASSERT_TRUE(same_bytes(read_file(tar_of(online, "app", "1")).bytes, wanted_));
    ASSERT_TRUE(stat_of(tar_of(online, "app", "2")));  // its documents are known, none of its layers
    ASSERT_EQ(online.stop(), 0);
    std::filesystem::copy(scratch_ / "cache", scratch_ / "copy", std::filesystem::copy_options::recursive);
    registry_.journal().forget();
  }
  MountSpec spec(const std::string& cache) const {
    return {.arguments = {"--offline", "--tag-ttl", "0"}, .cache_directory = scratch_ / cache};
  }

  const SampleImage image_ = make_image({.layers = {seeded_layer(1, 3'000'000), seeded_layer(2, 200'000)}});
  const SampleImage other_ = make_image({.layers = {seeded_layer(3, 3'000'000)}});
  const TempDir scratch_;
  const std::string wanted_ = model_of(image_, "app", "1").bytes();
};

TEST_F(Offline, FailsForWhatIsNotInTheCacheWithoutAskingForIt) {
  MountedRegfs mount(spec("cache"));
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(stat_error(tar_of(mount, "app", "3")), EHOSTUNREACH);
  EXPECT_EQ(list_directory(mount / registry_.host() / "unknown").error, EHOSTUNREACH);
  const ReadOutcome read = read_file(tar_of(mount, "app", "2"));
  EXPECT_EQ(read.error, EHOSTUNREACH);
  EXPECT_TRUE(contains(mount.log(), "no registry is asked (--offline)"));
  EXPECT_TRUE(registry_.journal().entries().empty());
}

TEST_F(Offline, ShowsTheTreeAndTheBytesOfACopiedCacheAndAsksNobody) {
  MountedRegfs mount(spec("copy"));
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(list_directory(mount / registry_.host() / "app").names, (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(list_directory(mount / registry_.host() / "app" / "1").error, 0);
  EXPECT_TRUE(same_bytes(read_file(tar_of(mount, "app", "1")).bytes, wanted_)) << mount.log();
  EXPECT_TRUE(registry_.journal().entries().empty());
}

TEST_F(Offline, ShowsTheRepositoriesThatTheRegistryNamedLast) {
  const std::vector<std::string> both{"app", "team"};
  registry_.break_path("/v2/_catalog", rewrites([](const ScriptedExchange&, RawAnswer& answer) {
                         answer = RawAnswer{};
                         answer.set_body(R"({"repositories":["app","team/tool"]})");
                       }));
  {
    MountedRegfs online({.cache_directory = scratch_ / "cache"});
    REGFS_ASSERT_MOUNTED(online);
    EXPECT_EQ(list_directory(online / registry_.host()).names, both);
    EXPECT_EQ(online.stop(), 0);
  }
  registry_.journal().forget();
  MountedRegfs mount(spec("cache"));
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(list_directory(mount / registry_.host()).names, both);
  EXPECT_EQ(list_directory(mount / registry_.host() / "team").names, std::vector<std::string>{"tool"}) << mount.log();
  EXPECT_EQ(stat_error(mount / registry_.host() / "team" / "tool"), 0) << mount.log();
  EXPECT_EQ(list_directory(mount / registry_.host() / "team" / "tool").error, EHOSTUNREACH);
  EXPECT_TRUE(registry_.journal().entries().empty());
}

TEST_F(Offline, ServesLastKnownAnswersOfARegistryThatIsDownToo) {
  registry_.refuse_connections();
  MountedRegfs mount({.arguments = {"--tag-ttl", "0"}, .cache_directory = scratch_ / "cache"});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(same_bytes(read_file(tar_of(mount, "app", "1")).bytes, wanted_)) << mount.log();
  EXPECT_TRUE(contains(mount.log(), "serving the last known answer"));
}

}  // namespace
}  // namespace regfs::test::offline_test
