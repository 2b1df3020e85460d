// SPDX-License-Identifier: MIT
#include "fs/demand_window.h"

#include <gtest/gtest.h>

#include <random>

namespace regfs::fs::demand_window_test {
namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;
using cache::ByteRange;

TEST(DemandWindow, ALayerThatIsWithheldWholeIsAskedForWhole) {
  EXPECT_EQ(demand_window(700, 10, kMiB), (ByteRange{0, kMiB}));
  EXPECT_EQ(demand_window(0, 1, 1), (ByteRange{0, 1}));
}

TEST(DemandWindow, StartsOnTheGridWhereThatSuffices) {
  EXPECT_EQ(demand_window(0, 10 * kKiB, 4 * kMiB), (ByteRange{0, 256 * kKiB}));
  EXPECT_EQ(demand_window(300 * kKiB, 100 * kKiB, 4 * kMiB), (ByteRange{256 * kKiB, 256 * kKiB}));
}

TEST(DemandWindow, EndsWhereTheDemandEndsWhenItCrossesTheGrid) {
  EXPECT_EQ(demand_window(200 * kKiB, 100 * kKiB, 4 * kMiB), (ByteRange{44 * kKiB, 256 * kKiB}));
}

TEST(DemandWindow, EndsWithTheLayerNearItsEnd) {
  EXPECT_EQ(demand_window(3 * kMiB + 5, 1, 3 * kMiB + 100), (ByteRange{3 * kMiB + 100 - 256 * kKiB, 256 * kKiB}));
}

TEST(DemandWindow, ALongDemandTakesAsManyWindowsAsItNeeds) {
  EXPECT_EQ(demand_window(0, kMiB, 4 * kMiB), (ByteRange{0, kMiB}));
  EXPECT_EQ(demand_window(100 * kKiB, 257 * kKiB, 4 * kMiB), (ByteRange{0, 512 * kKiB}));
  EXPECT_EQ(demand_window(0, 4 * kMiB - 1, 4 * kMiB - 1), (ByteRange{0, 4 * kMiB - 1}));
}

TEST(DemandWindow, AlwaysHoldsTheDemandAndStaysInTheLayer) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t size = 1 + random() % (5 * kMiB);
    const uint64_t offset = random() % size;
    const uint64_t length = 1 + random() % std::min(size - offset, 2 * kMiB);
    const ByteRange window = demand_window(offset, length, size);
    ASSERT_LE(window.offset, offset);
    ASSERT_GE(window.end(), offset + length);
    ASSERT_LE(window.end(), size);
    if (size > kMiB) {
      ASSERT_LT(window.length, length + kDemandWindowBytes);
    }
  }
}

}  // namespace
}  // namespace regfs::fs::demand_window_test
