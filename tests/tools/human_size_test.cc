// SPDX-License-Identifier: MIT
#include "tools/human_size.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace regfs::human_size_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(HumanSize, IsInIecUnitsWithOneDecimal) {
  EXPECT_EQ(human_size(0), "0 B");
  EXPECT_EQ(human_size(512), "512 B");
  EXPECT_EQ(human_size(1024), "1.0 KiB");
  EXPECT_EQ(human_size(31'352'422), "29.9 MiB");
  EXPECT_EQ(human_size(1'288'490'189), "1.2 GiB");
  EXPECT_EQ(human_size(std::numeric_limits<uint64_t>::max()), "16.0 EiB");
}

TEST(HumanSize, IsNeverWiderThanItsColumn) {
  for (uint64_t bytes = 1; bytes < (uint64_t{1} << 62); bytes += bytes / 37 + 1) {
    ASSERT_LE(human_size(bytes).size(), kHumanSizeColumns) << bytes;
  }
  EXPECT_EQ(human_size(999), "999 B");
  EXPECT_EQ(human_size(1000), "1.0 KiB");
  EXPECT_EQ(human_size(1023 * 1024), "1.0 MiB");
}

TEST(HumanSpeed, ShowsNonsenseAsNothing) {
  EXPECT_EQ(human_speed(5.2 * 1024 * 1024), "5.2 MiB/s");
  EXPECT_EQ(human_speed(-1), "0 B/s");
  EXPECT_EQ(human_speed(std::nan("")), "0 B/s");
  EXPECT_LE(human_speed(std::numeric_limits<double>::infinity()).size(), kHumanSpeedColumns);
}

TEST(HumanDuration, CountsMinutesAndHours) {
  EXPECT_EQ(human_duration(seconds(3)), "0:03");
  EXPECT_EQ(human_duration(seconds(760)), "12:40");
  EXPECT_EQ(human_duration(seconds(3723)), "1:02:03");
  EXPECT_EQ(human_duration(seconds(359'999)), "99:59:59");
  EXPECT_EQ(human_duration(seconds(360'000)), "-:--");
  EXPECT_EQ(human_duration(milliseconds(-5)), "0:00");
}

TEST(HumanElapsed, ShowsTenthsWhereTheyMatter) {
  EXPECT_EQ(human_elapsed(milliseconds(449)), "0.4 s");
  EXPECT_EQ(human_elapsed(milliseconds(59'999)), "59.9 s");
  EXPECT_EQ(human_elapsed(seconds(760)), "12:40");
  EXPECT_EQ(human_elapsed(seconds(400'000)), "111:06:40");
}

}  // namespace
}  // namespace regfs::human_size_test
