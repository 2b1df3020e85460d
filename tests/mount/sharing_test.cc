// SPDX-License-Identifier: MIT
// Two mounts with one cache directory: a layer is fetched once between them, and one that dies is taken over.
#include <future>

#include "tests/mount/mount_fixture.h"

namespace regfs::test {
namespace {

class SharedCache : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (IsSkipped()) return;
    registry_.push("app", "1", image_);
  }
  MountSpec spec() const { return {.cache_directory = scratch_ / "cache"}; }

  void expect_good(const MountedRegfs& mount) const {
    const ReadOutcome read = read_file(tar_of(mount, "app", "1"));
    EXPECT_EQ(read.error, 0) << mount.log();
    EXPECT_TRUE(read.bytes == wanted_);  // sixteen of them: same_bytes() looks at each byte
  }
  uint64_t asked_bytes() const {
    uint64_t bytes = 0;
    for (const SampleLayer& layer : image_.layers) bytes += total_length(asked_of("app", layer));
    return bytes;
  }
  uint64_t layer_bytes() const {
    uint64_t bytes = 0;
    for (const SampleLayer& layer : image_.layers) bytes += layer.content->size_bytes();
    return bytes;
  }

  // Of larger layers a slow transfer leaves its tail to another, and what it had asked for is asked for twice.
  const SampleImage image_ = make_image({.layers = {seeded_layer(1, 15'000'000), seeded_layer(2, 3'000'000)}});
  const TempDir scratch_;
  const std::string wanted_ = model_of(image_, "app", "1").bytes();
};

TEST_F(SharedCache, FetchesEachRangeOnceForEightReadersOfEachOfTwoMounts) {
  MountedRegfs one(spec());
  MountedRegfs two(spec());
  REGFS_ASSERT_MOUNTED(one);
  REGFS_ASSERT_MOUNTED(two);
  std::vector<std::future<void>> readers;
  for (int i = 0; i < 8; ++i) {
    for (MountedRegfs* mount : {&one, &two}) {
      readers.push_back(std::async(std::launch::async, [this, mount] { expect_good(*mount); }));
    }
  }
  for (std::future<void>& reader : readers) reader.get();
  EXPECT_EQ(asked_bytes(), layer_bytes());
  for (const SampleLayer& layer : image_.layers) {
    EXPECT_TRUE(exists(published_path(scratch_ / "cache", layer.digest)));
  }
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
}  // namespace regfs::test
