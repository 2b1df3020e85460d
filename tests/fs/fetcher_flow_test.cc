// SPDX-License-Identifier: MIT
// How many transfers share a blob, by how it comes.
#include <gtest/gtest.h>

#include <algorithm>

#include "fs/fetch_planner.h"
#include "tests/fs/fetcher_words.h"

namespace regfs::fs::fetcher_flow_test {
namespace {

using cache::Blob;
using test::AskedRange;
using test::FetchWorld;
using test::TestImage;

// --- how a blob comes ---

TEST(Fetcher, OneTransferGoesAheadAndTwoJoinForEachThatHasBroughtAByte) {
  FetchWorld world;
  const auto fetch = world.fetch(world.image({40 * kMiB}));
  open_layers(*fetch);
  fetch->prefetch_from(0, 0);
  ASSERT_TRUE(world.source.wait_running(1));
  EXPECT_EQ(world.source.asked().size(), 1u);
  world.source.send(1, 1);
  EXPECT_TRUE(world.source.wait_running(3));
  world.source.send(2, 1);
  EXPECT_TRUE(world.source.wait_running(5));
  EXPECT_EQ(let_all_join(world), 10u);
}

TEST(Fetcher, AReaderDoesNotWaitForTheFirstByteOfATransferThatNobodyWaitsFor) {
  FetchWorld world;
  const auto fetch = world.fetch(world.image({40 * kMiB}));
  open_layers(*fetch);
  fetch->prefetch_from(0, 0);
  ASSERT_TRUE(world.source.wait_running(1));
  const Demand demand = fetch->demand(0, 30 * kMiB, 10);
  ASSERT_EQ(world.source.asked().size(), 2u);
  EXPECT_EQ(world.source.asked()[1].range.offset, 30 * kMiB);
}

TEST(Fetcher, AFirstTransferThatHangsIsJoinedByAnotherAfterAWhile) {
  FetchWorld world;
  const auto fetch = world.fetch(world.image({40 * kMiB}));
  const Demand one = fetch->demand(0, 0, 10);
  const Demand two = fetch->demand(0, 30 * kMiB, 10);
  EXPECT_EQ(world.source.asked().size(), 1u);
  world.fake_clock.advance(kPioneerPatience);
  ASSERT_TRUE(world.source.wait_asked(2));
  EXPECT_EQ(world.source.asked()[1].range.offset, 30 * kMiB);
}

TEST(Fetcher, OfTransfersThatBreakTogetherOneTriesAgain) {
  FetchWorld world;
  const auto fetch = world.fetch(world.image({40 * kMiB}));
  open_layers(*fetch);
  fetch->prefetch_from(0, 0);
  ASSERT_TRUE(world.source.wait_running(1));
  ASSERT_EQ(let_all_join(world), 10u);
  for (uint64_t id = 1; id <= 10; ++id) world.source.interrupt(id);
  const std::vector<AskedRange> left = world.source.running();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].id, 1u);
  EXPECT_EQ(let_all_join(world), 1u) << "a byte is not enough when there were interruptions";
  world.fake_clock.advance(kSteadyAfter);
  ASSERT_TRUE(world.source.wait_running(3));
  EXPECT_GE(let_all_join(world), 10u);
}

TEST(Fetcher, OfAServerThatSendsAllOneTransferIsEnoughAndNothingOfItIsThrownAway) {
  FetchWorld world;
  const TestImage image = world.image({20 * kMiB});
  const auto fetch = world.fetch(image);
  const std::shared_ptr<Blob> blob = blob_of(*fetch, 0);
  const Demand demand = fetch->demand(0, 5 * kMiB, 10);
  fetch->prefetch_from(0, 0);
  ASSERT_TRUE(world.source.wait_running(1));
  world.source.begin(1, true);
  world.source.spare(1, 0, 5 * kMiB);
  EXPECT_EQ(blob->readable(0, 5 * kMiB), Blob::Readable::yes);
  const Demand another = fetch->demand(0, 15 * kMiB, 10);
  world.source.spare(1, 5 * kMiB + 256 * kKiB, 15 * kMiB - 256 * kKiB);
  world.source.send(1);
  const auto ready = std::make_shared<test::ReadAnswer>();
  blob->when_readable(0, 20 * kMiB, [ready] { ready->give(std::string()); });
  EXPECT_EQ(ready->wait(), "");
  world.pool.stop();
  EXPECT_EQ(world.source.asked().size(), 1u);
}

TEST(Fetcher, AFreeSlotTakesHalfOfWhatTheLongestTransferHasLeft) {
  FetchWorld world({.limits = {.per_image = 2, .per_mount = 64}});
  const auto fetch = world.fetch(world.image({24 * kMiB}));
  open_layers(*fetch);
  fetch->prefetch_from(0, 0);
  ASSERT_TRUE(world.source.wait_running(1));
  world.source.begin(1);
  ASSERT_TRUE(world.source.wait_running(2));
  const uint64_t half = world.source.asked()[1].range.offset;
  ASSERT_TRUE(settled(world));
  world.source.send(1, 2 * kMiB);
  world.fake_clock.advance(kWorthSplitting);
  world.source.send(2);
  ASSERT_TRUE(world.source.wait_asked(3));
  const uint64_t left = (half - 2 * kMiB) / 2;
  EXPECT_EQ(range(world.source.asked()[2]), Range(half - left, left));
  world.source.send(1);
  const std::vector<AskedRange> running = world.source.running();
  EXPECT_TRUE(std::none_of(running.begin(), running.end(), [](const AskedRange& each) { return each.id == 1; }))
      << "it ends where the other begins";
  EXPECT_FALSE(blob_of(*fetch, 0)->failure());
}

TEST(Fetcher, AReaderFarAheadOfATransferGetsOneOfItsOwn) {
  FetchWorld world({.limits = {.per_image = 4, .per_mount = 64}});
  const auto fetch = world.fetch(world.image({40 * kMiB}));
  open_layers(*fetch);
  fetch->prefetch_from(0, 0);
  ASSERT_TRUE(world.source.wait_running(1));
  ASSERT_EQ(let_all_join(world), 4u);
  for (uint64_t id = 2; id <= 4; ++id) world.source.send(id);
  const Demand near = fetch->demand(0, 3 * kMiB, 10);
  EXPECT_EQ(world.source.asked().size(), 4u);
  const Demand far = fetch->demand(0, 9 * kMiB, 10);
  ASSERT_EQ(world.source.asked().size(), 5u);
  EXPECT_EQ(world.source.asked()[4].range.offset, 9 * kMiB);

  world.source.send(1);
  EXPECT_TRUE(world.source.wait_running(1)) << "the first ends where the other begins";
  world.source.send(5);
  EXPECT_EQ(world.source.asked().size(), 5u);
}

}  // namespace
}  // namespace regfs::fs::fetcher_flow_test
