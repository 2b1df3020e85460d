// SPDX-License-Identifier: MIT
// What the Fetcher brings ahead of readers, and whose slots it takes.
#include <gtest/gtest.h>

#include "fs/fetch_planner.h"
#include "tests/fs/fetcher_words.h"

namespace regfs::fs::fetcher_prefetch_test {
namespace {

using test::AskedRange;
using test::FetchWorld;
using test::no_byte_asked_twice;
using test::TestImage;

// --- prefetch ---

TEST(Fetcher, PrefetchesLayersConcurrentlyAndLargeOnesInParts) {
  FetchWorld world;
  const TestImage image = world.image({2 * kMiB, 20 * kMiB, 3 * kMiB});
  const auto fetch = world.fetch(image);
  fetch->prefetch_from(0, 0);
  ASSERT_TRUE(world.source.wait_asked(3));
  EXPECT_EQ(let_all_join(world), 7u);
  const std::vector<AskedRange> asked = world.source.asked();
  EXPECT_EQ(asked.size(), 7u);
  EXPECT_EQ(test::bytes_asked(asked), 25 * kMiB);
  EXPECT_TRUE(no_byte_asked_twice(asked));
}

TEST(Fetcher, NeverRunsMoreTransfersThanTheImageMayHave) {
  FetchWorld world({.limits = {.per_image = 3, .per_mount = 64}});
  const TestImage image = world.image(std::vector<uint64_t>(10, 2 * kMiB));
  const auto fetch = world.fetch(image);
  open_layers(*fetch);
  fetch->prefetch_from(0, 0);
  ASSERT_TRUE(world.source.wait_running(3));
  for (size_t done = 0; done < 10; ++done) {
    ASSERT_TRUE(world.source.wait_asked(done + 1));
    world.source.send(done + 1);
  }
  EXPECT_EQ(world.source.most_at_once(), 3u);
  EXPECT_EQ(test::bytes_asked(world.source.asked()), 20 * kMiB);
}

TEST(Fetcher, NeverRunsMoreTransfersThanTheMountMayHave) {
  FetchWorld world({.limits = {.per_image = 16, .per_mount = 4}});
  const auto one = world.fetch(world.image(std::vector<uint64_t>(5, 2 * kMiB), 1));
  const auto two = world.fetch(world.image(std::vector<uint64_t>(5, 2 * kMiB), 100));
  open_layers(*one);
  one->prefetch_from(0, 0);
  open_layers(*two);
  two->prefetch_from(0, 0);
  for (size_t done = 0; done < 10; ++done) {
    ASSERT_TRUE(world.source.wait_asked(done + 1));
    world.source.send(done + 1);
  }
  EXPECT_EQ(world.source.most_at_once(), 4u);
}

TEST(Fetcher, ADemandInTheMidstOfAPrefetchTakesMoreThanAWindow) {
  FetchWorld world({.limits = {.per_image = 1, .per_mount = 1}});
  const auto fetch = world.fetch(world.image({40 * kMiB, 2 * kMiB}));
  open_layers(*fetch);
  fetch->prefetch_from(0, 0);
  ASSERT_TRUE(world.source.wait_running(1));
  const Demand demand = fetch->demand(0, 20 * kMiB, 10);
  ASSERT_EQ(world.source.asked().size(), 2u);
  EXPECT_EQ(range(world.source.asked()[1]), Range(20 * kMiB, 20 * kMiB));
}

// --- slots ---

TEST(Fetcher, WithEverySlotTakenADemandGetsThatOfATransferNobodyWaitsFor) {
  FetchWorld world({.limits = {.per_image = 2, .per_mount = 64}});
  const TestImage image = world.image({2 * kMiB, 2 * kMiB, 2 * kMiB});
  const auto fetch = world.fetch(image);
  const Demand first = fetch->demand(0, 0, 10);
  open_layers(*fetch);
  fetch->prefetch_from(0, 0);
  ASSERT_TRUE(world.source.wait_running(2));
  world.source.send(2, 100 * kKiB);
  const Demand demand = fetch->demand(2, 0, 10);

  ASSERT_EQ(world.source.cancelled().size(), 1u);
  EXPECT_EQ(world.source.cancelled()[0].id, 2u);  // the first is waited for
  ASSERT_EQ(world.source.running().size(), 2u);
  EXPECT_EQ(world.source.running()[1].range.digest, image.archive->blobs[2].digest);
  EXPECT_EQ(world.source.most_at_once(), 2u);
}

TEST(Fetcher, WhatCameOfACancelledTransferIsKeptAndTheRestIsAskedForLater) {
  FetchWorld world({.limits = {.per_image = 1, .per_mount = 64}});
  const auto fetch = world.fetch(world.image({2 * kMiB, 2 * kMiB}));
  open_layers(*fetch);
  fetch->prefetch_from(0, 0);
  ASSERT_TRUE(world.source.wait_running(1));
  world.source.send(1, 100 * kKiB);
  {
    const Demand demand = fetch->demand(1, 0, 10);
    world.source.send(2);
  }
  ASSERT_TRUE(world.source.wait_asked(3));
  EXPECT_EQ(range(world.source.asked()[2]), Range(100 * kKiB, 2 * kMiB - 100 * kKiB));
}

TEST(Fetcher, WhenReadersHoldEverySlotTheNextGetsOneAsSoonAsItIsFree) {
  FetchWorld world({.limits = {.per_image = 1, .per_mount = 64}});
  const auto fetch = world.fetch(world.image({4 * kMiB}));
  const Demand first = fetch->demand(0, 0, 10);
  const Demand second = fetch->demand(0, kMiB, 10);
  EXPECT_EQ(world.source.asked().size(), 1u);
  world.source.send(1);
  ASSERT_EQ(world.source.asked().size(), 2u);
  EXPECT_EQ(range(world.source.asked()[1]), Range(kMiB, 256 * kKiB));
}

TEST(Fetcher, AReaderThatGaveUpFreesItsSlotForOneThatWaits) {
  FetchWorld world({.limits = {.per_image = 1, .per_mount = 64}});
  const auto fetch = world.fetch(world.image({4 * kMiB}));
  auto first = std::make_unique<Demand>(fetch->demand(0, 0, 10));
  const Demand second = fetch->demand(0, kMiB, 10);
  first.reset();
  EXPECT_EQ(world.source.cancelled().size(), 1u);
  ASSERT_EQ(world.source.running().size(), 1u);
  EXPECT_EQ(world.source.running()[0].range.offset, kMiB);
}

TEST(Fetcher, AReaderOfAWholeLayerLeavesASlotToOneWhoHasNone) {
  FetchWorld world({.limits = {.per_image = 3, .per_mount = 64}});
  const auto fetch = world.fetch(world.image({40 * kMiB, 3 * kMiB}));
  const Demand whole = fetch->demand(0, 40 * kMiB - 150 * kKiB, 10);
  world.source.begin(1);
  ASSERT_TRUE(world.source.wait_running(3) && settled(world));
  const Demand demand = fetch->demand(1, 0, 10);
  EXPECT_EQ(world.source.cancelled().size(), 1u);
  ASSERT_EQ(world.source.running().size(), 3u);
  EXPECT_EQ(world.source.running()[2].range.size_bytes, 3 * kMiB);
}

TEST(Fetcher, AnImageWithStalledReadersCannotHoldEverySlotOfTheMount) {
  FetchWorld world({.limits = {.per_image = 16, .per_mount = 4}});
  const auto stalled = world.fetch(world.image({8 * kMiB}, 1));
  std::vector<Demand> demands;
  for (uint64_t i = 0; i < 6; ++i) demands.push_back(stalled->demand(0, i * kMiB, 10));
  ASSERT_EQ(let_all_join(world), 4u);

  const TestImage good = world.image({3 * kMiB}, 100);
  const auto fetch = world.fetch(good);
  const Demand demand = fetch->demand(0, 0, 10);
  EXPECT_EQ(world.source.cancelled().size(), 1u);
  ASSERT_EQ(world.source.running().size(), 4u);
  EXPECT_EQ(world.source.running()[3].range.digest, good.archive->blobs[0].digest);
}

}  // namespace
}  // namespace regfs::fs::fetcher_prefetch_test
