// SPDX-License-Identifier: MIT
// Two mounts, verify and gc on one cache directory at once: nobody is in anybody's way, and nothing is fetched twice.
#include <atomic>
#include <future>
#include <thread>

#include "tests/cachetool/cachetool_fixture.h"

namespace regfs::test::sharing_test {
namespace {

class CacheSharing : public CacheToolTest {
 protected:
  void SetUp() override {
    if (const std::string why = why_no_mounts(); !why.empty()) GTEST_SKIP() << why;
    registry_.push("app", "1", image_);
  }
  std::string tar_of(const MountedRegfs& mount) const {
    return mount / registry_.host() / "app" / "1" / "linux-amd64.tar";
  }
  // Verifies and sweeps, again and again, while `readers` read.
  void look_after_while(std::vector<std::future<void>>& readers) const {
    std::atomic<bool> done{false};
    std::thread caretaker([&] {
      do {
        for (const std::vector<std::string>& command :
             std::vector<std::vector<std::string>>{{"verify", "--repair"}, {"gc"}, {"list"}, {"stats"}}) {
          const Finished finished = tool(command);
          EXPECT_EQ(finished.status, 0) << command[0] << ": " << finished.error;
        }
      } while (!done);
    });
    for (std::future<void>& reader : readers) reader.get();
    done = true;
    caretaker.join();
  }

  // Of larger layers a slow transfer leaves its tail to another, and something may be sent twice.
  const SampleImage image_ =
      make_image({.layers = {seeded_layer(1, 15 * kMiB), seeded_layer(2, 3 * kMiB), seeded_layer(3, 12 * kMiB)}});
};

TEST_F(CacheSharing, EightReadersOfEachOfTwoMountsFetchEachRangeOnceBesideVerifyAndGc) {
  MountedRegfs one({.arguments = {"--log-level", "debug"}, .cache_directory = cache_});
  MountedRegfs two({.arguments = {"--log-level", "debug"}, .cache_directory = cache_});
  ASSERT_TRUE(one.mounted() && two.mounted()) << one.log() << two.log();
  const ArchiveModel model = model_of(image_, "app", "1");
  std::vector<std::future<void>> readers;
  for (int i = 0; i < 8; ++i) {
    for (MountedRegfs* mount : {&one, &two}) {
      readers.push_back(
          std::async(std::launch::async, [this, mount, &model] { EXPECT_TRUE(is_archive(tar_of(*mount), model)); }));
    }
  }
  look_after_while(readers);
  for (const SampleLayer& layer : image_.layers) {
    const std::vector<ByteSpan> asked = registry_.journal().spans_of(FakeRegistry::blob_path("app", layer.digest));
    EXPECT_TRUE(asked_once(asked, layer.content->size_bytes())) << one.log() << two.log();
  }
  for (const SampleLayer& layer : image_.layers) EXPECT_TRUE(has(layer.digest));
}

TEST_F(CacheSharing, WhenTheFirstMountIsKilledHalfWayTheSecondFinishesBesideVerifyAndGc) {
  const std::string layer = FakeRegistry::blob_path("app", image_.layers[0].digest);
  registry_.break_path(layer, stalls_at(12 * kMiB));
  MountedRegfs one({.cache_directory = cache_});
  MountedRegfs two({.cache_directory = cache_});
  ASSERT_TRUE(one.mounted() && two.mounted()) << one.log() << two.log();
  std::future<void> first = std::async(std::launch::async, [&] { read_file(tar_of(one)); });
  EXPECT_TRUE(registry_.wait_until_waiting(1, std::chrono::seconds(20)));
  one.kill();
  first.get();
  registry_.mend(layer);
  const ArchiveModel model = model_of(image_, "app", "1");
  std::vector<std::future<void>> readers;
  for (int i = 0; i < 8; ++i) {
    readers.push_back(std::async(std::launch::async, [&] { EXPECT_TRUE(is_archive(tar_of(two), model)); }));
  }
  look_after_while(readers);
}

}  // namespace
}  // namespace regfs::test::sharing_test
