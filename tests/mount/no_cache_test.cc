// SPDX-License-Identifier: MIT
// --no-cache: the archive is the same, and nothing is left of it.
#include <sys/stat.h>

#include <filesystem>

#include "tests/mount/mount_fixture.h"
#include "tests/support/process_facts.h"

namespace regfs::test::no_cache_test {
namespace {

class NoCache : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (IsSkipped()) return;
    registry_.push("app", "1", image_);
    ::mkdir(cache_.c_str(), 0700);
  }
  MountSpec spec() const { return {.arguments = {"--no-cache"}, .cache_directory = cache_}; }
  std::vector<std::string> left() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(cache_)) names.push_back(entry.path());
    return names;
  }
  void expect_good(const MountedRegfs& mount) const {
    const ReadOutcome read = read_file(tar_of(mount, "app", "1"));
    EXPECT_EQ(read.error, 0) << mount.log();
    EXPECT_TRUE(same_bytes(read.bytes, model_of(image_, "app", "1").bytes()));
  }

  const SampleImage image_ = make_image({.layers = {seeded_layer(1, 3'000'000), seeded_layer(2, 200'000)}});
  const TempDir scratch_;
  const std::string cache_ = scratch_ / "cache";
};

TEST_F(NoCache, LeavesNothingAfterTheProcessWasKilled) {
  MountedRegfs mount(spec());
  REGFS_ASSERT_MOUNTED(mount);
  expect_good(mount);
  mount.kill();
  EXPECT_EQ(left(), std::vector<std::string>());
}

TEST_F(NoCache, HasNothingInTheDirectoryWhileItServes) {
  MountedRegfs mount(spec());
  REGFS_ASSERT_MOUNTED(mount);
  expect_good(mount);
  EXPECT_EQ(left(), std::vector<std::string>());
  EXPECT_EQ(mount.stop(), 0);
  EXPECT_EQ(left(), std::vector<std::string>());
}

TEST_F(NoCache, FetchesALayerOncePerMountAndAnewInTheNext) {
  {
    MountedRegfs mount(spec());
    REGFS_ASSERT_MOUNTED(mount);
    expect_good(mount);
    OpenOutcome file = open_file(tar_of(mount, "app", "1"));
    ASSERT_EQ(file.error, 0);
    forget_pages(file.fd.get());
    expect_good(mount);
    EXPECT_TRUE(asked_once(asked_of("app", image_.layers[0]), image_.layers[0].content->size_bytes()));
  }
  MountedRegfs next(spec());
  REGFS_ASSERT_MOUNTED(next);
  expect_good(next);
  EXPECT_EQ(total_length(asked_of("app", image_.layers[0])), 2 * image_.layers[0].content->size_bytes());
}

TEST_F(NoCache, UsesNothingThatACacheHolds) {
  {
    MountedRegfs mount({.cache_directory = cache_});
    REGFS_ASSERT_MOUNTED(mount);
    expect_good(mount);
  }
  const size_t asked = layer_requests("app", image_);
  MountedRegfs mount(spec());
  REGFS_ASSERT_MOUNTED(mount);
  expect_good(mount);
  EXPECT_GT(layer_requests("app", image_), asked);
}

TEST_F(NoCache, WorksWhereTheCacheDirectoryIsMissing) {
  std::filesystem::remove(cache_);
  MountedRegfs mount(spec());
  REGFS_ASSERT_MOUNTED(mount);
  expect_good(mount);
  EXPECT_FALSE(exists(cache_));
}

}  // namespace
}  // namespace regfs::test::no_cache_test
