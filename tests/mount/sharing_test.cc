// SPDX-License-Identifier: MIT
// Two mounts with one cache directory: a layer is fetched once between them, and one that dies is taken over.
#include <future>

#include "tests/mount/mount_fixture.h"

namespace regfs::test::sharing_test {
namespace {

class SharedCache : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (IsSkipped()) return;
    registry_.push("app", "1", image_);
    registry_.push("app", "large", large_);
  }
  MountSpec spec() const { return {.cache_directory = scratch_ / "cache"}; }

  void expect_good(const MountedRegfs& mount, const std::string& tag = "1") const {
    const ReadOutcome read = read_file(tar_of(mount, "app", tag));
    EXPECT_EQ(read.error, 0) << mount.log();
    EXPECT_TRUE(read.bytes == (tag == "1" ? wanted_ : wanted_large_));  // sixteen: same_bytes() looks at each byte
  }
  void read_by_eight_of_each(const std::vector<MountedRegfs*>& mounts, const std::string& tag) const {
    std::vector<std::future<void>> readers;
    for (int i = 0; i < 8; ++i) {
      for (MountedRegfs* mount : mounts) {
        readers.push_back(std::async(std::launch::async, [this, mount, tag] { expect_good(*mount, tag); }));
      }
    }
    for (std::future<void>& reader : readers) reader.get();
  }
  void expect_asked_once_and_published(const SampleImage& image) const {
    for (const SampleLayer& layer : image.layers) {
      EXPECT_TRUE(asked_once(asked_of("app", layer), layer.content->size_bytes()));
      EXPECT_TRUE(exists(published_path(scratch_ / "cache", layer.digest)));
    }
  }

  // Of larger layers a slow transfer leaves its tail to another, and what it had asked for is asked for twice.
  const SampleImage image_ = make_image({.layers = {seeded_layer(1, 15'000'000), seeded_layer(2, 3'000'000)}});
  const SampleImage large_ = make_image({.layers = {seeded_layer(3, 26'000'000), seeded_layer(4, 3'000'000)}});
  const TempDir scratch_;
  const std::string wanted_large_ = model_of(large_, "app", "large").bytes();
  const std::string wanted_ = model_of(image_, "app", "1").bytes();
};

TEST_F(SharedCache, FetchesEachRangeOnceForEightReadersOfEachOfTwoMounts) {
  MountedRegfs one(spec());
  MountedRegfs two(spec());
  REGFS_ASSERT_MOUNTED(one);
  REGFS_ASSERT_MOUNTED(two);
  read_by_eight_of_each({&one, &two}, "1");
  expect_asked_once_and_published(image_);
}

// With one slot each nobody is free to take a tail over, so that each part is asked for once however slow it is.
TEST_F(SharedCache, FetchesEachPartOfALargeLayerOnceForEightReadersOfEachOfTwoMounts) {
  MountSpec one_slot = spec();
  one_slot.arguments = {"--max-concurrent-downloads", "1"};
  MountedRegfs one(one_slot);
  MountedRegfs two(one_slot);
  REGFS_ASSERT_MOUNTED(one);
  REGFS_ASSERT_MOUNTED(two);
  read_by_eight_of_each({&one, &two}, "large");
  expect_asked_once_and_published(large_);
  EXPECT_GT(asked_of("app", large_.layers[0]).size(), 1u) << "in parts";
}

TEST_F(SharedCache, IsFinishedByTheSecondMountWhenTheFirstIsKilledHalfWay) {
  const std::string layer = FakeRegistry::blob_path("app", image_.layers[0].digest);
  const uint64_t known = 4'000'000;
  registry_.break_path(layer, stalls_at(12'000'000));
  MountedRegfs one(spec());
  MountedRegfs two(spec());
  REGFS_ASSERT_MOUNTED(one);
  REGFS_ASSERT_MOUNTED(two);
  std::future<void> first = std::async(std::launch::async, [this, &one] { read_file(tar_of(one, "app", "1")); });
  EXPECT_TRUE(registry_.wait_until_waiting(1, std::chrono::seconds(20)));
  OpenOutcome file = open_file(tar_of(two, "app", "1"));
  EXPECT_TRUE(same_bytes(read_at(file.fd.get(), 0, known).bytes, wanted_.substr(0, known)));
  one.kill();
  first.get();
  registry_.mend(layer);
  expect_good(two);
  uint64_t asked_of_known = 0;
  for (const ByteSpan& span : asked_of("app", image_.layers[0])) {
    asked_of_known += std::min(span.end, known) - std::min(span.begin, known);
  }
  EXPECT_EQ(asked_of_known, known);
}

}  // namespace
}  // namespace regfs::test::sharing_test
