// SPDX-License-Identifier: MIT
#include "tools/option_value.h"

#include <gtest/gtest.h>

namespace regfs::option_value_test {
namespace {

using namespace std::chrono_literals;

constexpr TimeRange kUpToADay{1ms, 24h};

TEST(OptionValue, RefusesWhatIsNoTime) {
  for (const char* text : {"", " ", "s", "ms", "-1", "+1", "1.5s", "5 s", "5s ", "5d", "5S", "0x10", "1e3", "five"}) {
    Result<std::chrono::milliseconds> time = parse_time(text, kUpToADay);
    ASSERT_FALSE(time) << "'" << text << "'";
    EXPECT_TRUE(time.error().is(Errc::invalid_argument));
    EXPECT_NE(time.error().context().find("'" + std::string(text) + "' is no time"), std::string::npos)
        << time.error().context();
  }
}

TEST(OptionValue, RefusesATimeOutOfRangeAndSaysTheRange) {
  for (const char* text : {"0", "0ms", "25h", "86401", "9223372036854775807h", "9223372036854775807"}) {
    Result<std::chrono::milliseconds> time = parse_time(text, kUpToADay);
    ASSERT_FALSE(time) << text;
    EXPECT_NE(time.error().context().find("from 1ms to 24h"), std::string::npos) << time.error().context();
  }
  EXPECT_FALSE(parse_time("9223372036854775808", kUpToADay));
}

TEST(OptionValue, ReadsSecondsAndEverySuffix) {
  EXPECT_EQ(parse_time("10", kUpToADay).value(), 10s);
  EXPECT_EQ(parse_time("500ms", kUpToADay).value(), 500ms);
  EXPECT_EQ(parse_time("90s", kUpToADay).value(), 90s);
  EXPECT_EQ(parse_time("5m", kUpToADay).value(), 5min);
  EXPECT_EQ(parse_time("24h", kUpToADay).value(), 24h);
  EXPECT_EQ(parse_time("1ms", kUpToADay).value(), 1ms);
}

TEST(OptionValue, AllowsZeroWhereTheRangeDoes) {
  EXPECT_EQ(parse_time("0", TimeRange{0ms, 1h}).value(), 0ms);
}

TEST(OptionValue, RefusesACountThatIsNoneOrOutOfRange) {
  for (const char* text : {"", "0", "65", "-1", "+4", "4x", "4.0", "99999999999999999999"}) {
    Result<int> count = parse_count(text, 1, 64);
    ASSERT_FALSE(count) << text;
    EXPECT_NE(count.error().context().find("from 1 to 64"), std::string::npos);
  }
}

TEST(OptionValue, ReadsACountAtBothEnds) {
  EXPECT_EQ(parse_count("1", 1, 64).value(), 1);
  EXPECT_EQ(parse_count("64", 1, 64).value(), 64);
}

}  // namespace
}  // namespace regfs::option_value_test
