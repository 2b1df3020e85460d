// SPDX-License-Identifier: MIT
// Memory grows neither with the image nor with those who wait for it.
#include <atomic>
#include <iostream>
#include <memory>

#include "tests/mount/mount_fixture.h"
#include "tests/mount/parked_readers.h"
#include "tests/support/process_facts.h"
#include "tests/support/rude_answers.h"

namespace regfs::test::memory_test {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr std::chrono::seconds kSoon{60};  // a slow disk syncs 2 GiB

class MemoryTest : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (IsSkipped()) return;
    if (!memory_is_the_programs_own()) GTEST_SKIP() << "measured without sanitizers only";
  }

  // Tells it as well: the margin is worth knowing.
  static void expect_peak_below(uint64_t peak_bytes, uint64_t bound_bytes) {
    RecordProperty("peak_rss_anon_kib", std::to_string(peak_bytes >> 10));
    std::cout << "peak RssAnon " << (peak_bytes >> 10) << " KiB of " << (bound_bytes >> 10) << "\n";
    EXPECT_GT(peak_bytes, 0u);
    EXPECT_LE(peak_bytes, bound_bytes);
  }

  void read_within_32_mebibytes(const SampleImage& image) {
    registry_.push("app", "latest", image);
    const ArchiveModel model = model_of(image, "app", "latest");
    MountedRegfs mount;
    REGFS_ASSERT_MOUNTED(mount);
    const MemoryPeak peak(mount.process().pid());
    const DigestOutcome read = digest_of_file(tar_of(mount, "app", "latest"), 4 << 20);
    ASSERT_EQ(read.error, 0) << mount.log();
    EXPECT_EQ(read.size_bytes, model.size_bytes());
    for (const SampleLayer& layer : image.layers) {
      const std::string published = published_path(mount.cache_directory(), layer.digest);
      EXPECT_TRUE(eventually(kSoon, [&] { return exists(published); }));
    }
    expect_peak_below(peak.bytes(), 32 * kMiB);
  }
};

TEST_F(MemoryTest, ATwoGibLayerIsReadInThirtyTwoMebibytes) {
  read_within_32_mebibytes(make_image({.layers = {seeded_layer(1, 2048 * kMiB)}}));
}

TEST_F(MemoryTest, FiveHundredLayersAreReadInThirtyTwoMebibytes) {
  ImageRecipe recipe;
  for (uint64_t layer = 0; layer < 500; ++layer) recipe.layers.push_back(seeded_layer(1 + layer, 150'000 + layer));
  read_within_32_mebibytes(make_image(recipe));
}

// Sends the first bytes of every range, and nothing more until the client has gone; `stalled` counts those that wait.
Fault stalls_after_first_bytes(const std::shared_ptr<std::atomic<int>>& stalled) {
  constexpr size_t kFirstBytes = 1000;  // less than a page: no reader has enough
  return speaks([stalled](const ScriptedExchange& exchange) {
    const RawAnswer answer = honest_answer(exchange);
    if (!exchange.client.send(answer.head() + answer.body.substr(0, kFirstBytes))) return false;
    ++*stalled;
    exchange.client.read_request();
    --*stalled;
    return false;
  });
}

TEST_F(MemoryTest, AThousandParkedReadersOfSixtyFourStalledConnectionsTakeSixtyFourMebibytes) {
  constexpr int kImages = 4;
  constexpr int kConnections = 64;  // of a mount, 16 of each image
  constexpr uint64_t kReadersOfEach = 250;
  MountedRegfs mount({.arguments = {"--read-timeout", "200", "--timeout", "200"}});
  REGFS_ASSERT_MOUNTED(mount);
  const auto stalled = std::make_shared<std::atomic<int>>(0);
  const MemoryPeak peak(mount.process().pid());
  std::vector<UniqueFd> files;
  std::vector<std::unique_ptr<ReadingThread>> readers;
  for (int number = 0; number < kImages; ++number) {
    const SampleLayer stalling = unverifiable_layer(7 + static_cast<uint64_t>(number), (kReadersOfEach + 1) * kMiB);
    const SampleImage image = make_image({.layers = {stalling}});
    const std::string repository = "app" + std::to_string(number);
    registry_.push(repository, "latest", image);
    registry_.break_path(FakeRegistry::blob_path(repository, stalling.digest), stalls_after_first_bytes(stalled));
    const uint64_t begin = model_of(image, repository, "latest").member(stalling).offset;
    for (uint64_t reader = 0; reader < kReadersOfEach; ++reader) {
      OpenOutcome file = open_file(tar_of(mount, repository, "latest"));
      ASSERT_EQ(file.error, 0) << mount.log();
      files.push_back(std::move(file.fd));
      readers.push_back(std::make_unique<ReadingThread>(files.back().get(), begin + reader * kMiB, 4096));
    }
  }
  for (const auto& reader : readers) ASSERT_TRUE(reader->parked(kSoon)) << mount.log();
  EXPECT_TRUE(eventually(kSoon, [&] { return *stalled == kConnections; })) << *stalled << " connections";
  for (const auto& reader : readers) EXPECT_FALSE(reader->ended());
  EXPECT_EQ(mount.stop(), 0) << mount.log();
  expect_peak_below(peak.bytes(), 64 * kMiB);
}

}  // namespace
}  // namespace regfs::test::memory_test
