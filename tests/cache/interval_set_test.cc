// SPDX-License-Identifier: MIT
#include "cache/interval_set.h"

#include <gtest/gtest.h>

#include <random>

namespace regfs::cache::interval_set_test {
namespace {

using Ranges = std::vector<ByteRange>;

TEST(IntervalSet, AnEmptyRangeIsNothing) {
  IntervalSet set;
  set.add({5, 0});
  EXPECT_TRUE(set.empty());
  EXPECT_TRUE(set.contains({5, 0}));
  EXPECT_FALSE(set.contains({5, 1}));
}

TEST(IntervalSet, MergesWhatTouches) {
  IntervalSet set;
  set.add({0, 10});
  set.add({20, 10});
  EXPECT_EQ(set.ranges(), (Ranges{{0, 10}, {20, 10}}));
  set.add({10, 10});
  EXPECT_EQ(set.ranges(), (Ranges{{0, 30}}));
}

TEST(IntervalSet, CountsOverlapsOnce) {
  IntervalSet set;
  set.add({0, 10});
  set.add({5, 10});
  set.add({2, 3});
  EXPECT_EQ(set.total(), 15u);
}

TEST(IntervalSet, CutsAHoleInTwo) {
  IntervalSet set({0, 30});
  set.remove({10, 5});
  EXPECT_EQ(set.ranges(), (Ranges{{0, 10}, {15, 15}}));
  EXPECT_EQ(set.total(), 25u);
}

TEST(IntervalSet, FindsTheGapsOfARange) {
  IntervalSet set;
  set.add({10, 10});
  set.add({30, 10});
  EXPECT_EQ(set.first_gap({12, 100}), (ByteRange{20, 10}));
  EXPECT_EQ(set.first_gap({12, 8}), std::nullopt);
  EXPECT_EQ(set.gaps({0, 50}), (Ranges{{0, 10}, {20, 10}, {40, 10}}));
}

TEST(IntervalSet, FindsWhatIsInNeitherOfTwo) {
  IntervalSet one;
  IntervalSet other;
  one.add({0, 10});
  other.add({10, 10});
  one.add({20, 5});
  other.add({40, 10});
  EXPECT_EQ(first_gap_of_both(one, other, {0, 100}), (ByteRange{25, 15}));
  EXPECT_EQ(first_gap_of_both(one, other, {5, 20}), std::nullopt);
}

TEST(IntervalSet, AgreesWithAListOfBits) {
  constexpr uint64_t kSize = 64;
  std::mt19937 random(7);
  IntervalSet set;
  std::vector<bool> bits(kSize);
  for (int step = 0; step < 4000; ++step) {
    uint64_t offset = random() % kSize;
    uint64_t length = random() % (kSize - offset + 1);
    bool adds = random() % 2 == 0;
    if (adds) {
      set.add({offset, length});
    } else {
      set.remove({offset, length});
    }
    std::fill_n(bits.begin() + static_cast<ptrdiff_t>(offset), length, adds);

    ASSERT_EQ(set.total(), static_cast<uint64_t>(std::count(bits.begin(), bits.end(), true)));
    uint64_t from = random() % kSize;
    ByteRange asked{from, random() % (kSize - from + 1)};
    uint64_t missing = asked.offset;
    while (missing < asked.end() && bits[missing]) ++missing;
    ASSERT_EQ(set.contains(asked), missing == asked.end());
    uint64_t gap_end = missing;
    while (gap_end < asked.end() && !bits[gap_end]) ++gap_end;
    std::optional<ByteRange> expected;
    if (missing < asked.end()) expected = ByteRange{missing, gap_end - missing};
    ASSERT_EQ(set.first_gap(asked), expected);
  }
}

}  // namespace
}  // namespace regfs::cache::interval_set_test
