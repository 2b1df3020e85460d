// SPDX-License-Identifier: MIT
#include "cache/withheld.h"

#include <gtest/gtest.h>

namespace regfs::cache::withheld_test {
namespace {

TEST(Withheld, IsNothingOfAnEmptyBlob) {
  EXPECT_EQ(withheld_window(0), (ByteRange{0, 0}));
}

TEST(Withheld, IsAllOfASmallBlob) {
  EXPECT_EQ(withheld_window(1), (ByteRange{0, 1}));
  EXPECT_EQ(withheld_window(1 << 20), (ByteRange{0, 1 << 20}));
}

TEST(Withheld, IsAWindowThatEnds128KiBBeforeTheEndOfALargeOne) {
  EXPECT_EQ(withheld_window((1 << 20) + 1).end(), (1u << 20) + 1 - (128u << 10));
  EXPECT_EQ(withheld_window(10 << 20), (ByteRange{(10u << 20) - (192u << 10), 64u << 10}));
}

TEST(Withheld, IsThereInBlobsBeyond32Bits) {
  EXPECT_EQ(withheld_window(1ull << 39), (ByteRange{(1ull << 39) - (192u << 10), 64u << 10}));
}

TEST(Withheld, IsAllOfAnyBlobWhenVerifyingBefore) {
  EXPECT_EQ(withheld_window(10 << 20, Withhold::all), (ByteRange{0, 10 << 20}));
  EXPECT_EQ(withheld_window(7, Withhold::all), (ByteRange{0, 7}));
}

TEST(Withheld, OverlapsWhatCannotBeReadEarly) {
  const ByteRange window = withheld_window(4 << 20);
  EXPECT_TRUE(overlap({(4 << 20) - (192 << 10), 1}, window));
  EXPECT_TRUE(overlap({(4 << 20) - (128 << 10) - 1, 1}, window));
  EXPECT_FALSE(overlap({(4 << 20) - (193 << 10), 1 << 10}, window));
  EXPECT_FALSE(overlap({(4 << 20) - (128 << 10), 128 << 10}, window));
}

}  // namespace
}  // namespace regfs::cache::withheld_test
