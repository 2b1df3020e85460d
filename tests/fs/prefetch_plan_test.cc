// SPDX-License-Identifier: MIT
#include "fs/prefetch_plan.h"

#include <gtest/gtest.h>

namespace regfs::fs::prefetch_plan_test {
namespace {

constexpr uint64_t kKiB = 1 << 10;
constexpr uint64_t kMiB = 1 << 20;

TEST(PrefetchPlan, HasNoOrderForALayerThatIsNotThere) {
  EXPECT_TRUE(prefetch_order({5}, 1, 0).empty());
}

TEST(PrefetchPlan, LeavesOutWhatIsEmpty) {
  EXPECT_EQ(prefetch_order({0, 5, 0}, 0, 0), (std::vector<LayerSpan>{{1, {0, 5}}}));
}

TEST(PrefetchPlan, GoesForwardFromTheReaderAndThenToWhatLiesBefore) {
  EXPECT_EQ(prefetch_order({10, 20, 30}, 1, 15),
            (std::vector<LayerSpan>{{1, {15, 5}}, {2, {0, 30}}, {0, {0, 10}}, {1, {0, 15}}}));
}

TEST(PrefetchPlan, BeyondTheEndOfALayerTheNextComesFirst) {
  EXPECT_EQ(prefetch_order({10, 20}, 0, 99), (std::vector<LayerSpan>{{1, {0, 20}}, {0, {0, 10}}}));
}

TEST(PrefetchPlan, ALayerUpTo16MiBComesInOneTransfer) {
  EXPECT_EQ(transfer_bytes(16 * kMiB, 16 * kMiB, 16), 16 * kMiB);
}

TEST(PrefetchPlan, ALargerOneComesInPartsWithoutCrumbs) {
  EXPECT_EQ(transfer_bytes(100 * kMiB, 100 * kMiB, 10), 10 * kMiB + 256 * kKiB);
  EXPECT_EQ(transfer_bytes(15 * kMiB, 100 * kMiB, 10), 15 * kMiB);
  EXPECT_EQ(transfer_bytes(16 * kMiB, 100 * kMiB, 10), 10 * kMiB + 256 * kKiB);
  EXPECT_EQ(transfer_bytes(3, 100 * kMiB, 10), 3u);
}

TEST(PrefetchPlan, APartIsNeitherSmallNorHuge) {
  EXPECT_EQ(transfer_bytes(17 * kMiB, 17 * kMiB, 64), 4 * kMiB);
  EXPECT_EQ(transfer_bytes(900 * kMiB, 900 * kMiB, 1), 16 * kMiB);
}

TEST(PrefetchPlan, TogetherTheSlotsTakeALayer) {
  for (uint64_t mebibytes = 64; mebibytes <= 256; ++mebibytes) {
    EXPECT_GE(16 * transfer_bytes(mebibytes * kMiB, mebibytes * kMiB, 16), mebibytes * kMiB);
  }
}

}  // namespace
}  // namespace regfs::fs::prefetch_plan_test
