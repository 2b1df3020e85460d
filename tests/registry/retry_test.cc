// SPDX-License-Identifier: MIT
#include "registry/retry.h"

#include <gtest/gtest.h>

#include <limits>

namespace regfs::registry::retry_test {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

constexpr RetryPolicy kPolicy{5, 250ms, 8'000ms, 30'000ms};
const Wall::time_point kNow = std::chrono::sys_days(std::chrono::year(1994) / 11 / 6) + 8h + 49min + 37s;

TEST(RetryAfter, IsNothingWhenItIsGarbage) {
  for (const char* value :
       {"", " ", "soon", "-1", "1.5", "1e3", "0x10", "12 s", "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    EXPECT_EQ(parse_retry_after(value, kNow), std::nullopt) << value;
  }
}

TEST(RetryAfter, DoesNotOverflow) {
  EXPECT_GT(parse_retry_after("99999999999999999999999", kNow), seconds(1'000'000'000));
  EXPECT_GT(parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", kNow), seconds(1'000'000'000));
  EXPECT_EQ(parse_retry_after("Mon, 01 Jan 0001 00:00:00 GMT", kNow), seconds(0));
  EXPECT_EQ(parse_retry_after("00000000000000000000002", kNow), seconds(2));
}

TEST(RetryAfter, IsSecondsOrADate) {
  EXPECT_EQ(parse_retry_after("0", kNow), seconds(0));
  EXPECT_EQ(parse_retry_after(" 120 ", kNow), seconds(120));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", kNow), seconds(60));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", kNow + 500ms), seconds(60)) << "never too early";
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", kNow), seconds(0)) << "the past";
}

TEST(RetryableStatus, IsOneThatPasses) {
  for (int status : {200, 206, 304, 400, 401, 403, 404, 405, 410, 416, 451, 501, 505, 600, 0, -1}) {
    EXPECT_FALSE(is_retryable_status(status)) << status;
  }
  for (int status : {408, 429, 500, 502, 503, 504, 522}) EXPECT_TRUE(is_retryable_status(status)) << status;
}

TEST(NextDelay, GivesUpAfterTheLastAttempt) {
  EXPECT_TRUE(next_delay(kPolicy, 4, std::nullopt, 0));
  EXPECT_FALSE(next_delay(kPolicy, 5, std::nullopt, 0));
  EXPECT_FALSE(next_delay(kPolicy, std::numeric_limits<int>::max(), std::nullopt, 0));
}

TEST(NextDelay, GivesUpOnARegistryThatAsksForTooLong) {
  EXPECT_FALSE(next_delay(kPolicy, 1, seconds(31), 0));
  EXPECT_FALSE(next_delay(kPolicy, 1, seconds(86'400), 0));
  EXPECT_EQ(next_delay(kPolicy, 1, seconds(30), 0), 30s);
}

TEST(NextDelay, DoublesUpToTheLongest) {
  const RetryPolicy policy{100, 250ms, 8'000ms, 30'000ms};
  const std::chrono::milliseconds halves[] = {125ms, 250ms, 500ms, 1'000ms, 2'000ms, 4'000ms, 4'000ms};
  for (int made = 1; made <= 7; ++made) EXPECT_EQ(next_delay(policy, made, std::nullopt, 0), halves[made - 1]) << made;
  EXPECT_EQ(next_delay(policy, 99, std::nullopt, 0), 4'000ms);
}

TEST(NextDelay, IsHalfJitter) {
  EXPECT_EQ(next_delay(kPolicy, 3, std::nullopt, 0.5), 750ms);
  EXPECT_LE(next_delay(kPolicy, 3, std::nullopt, 0.999999), 1'000ms);
  EXPECT_EQ(next_delay(kPolicy, 3, std::nullopt, 7), 1'000ms) << "a jitter out of range is bounded";
}

TEST(NextDelay, IsNeverBelowWhatTheRegistryAskedFor) {
  EXPECT_EQ(next_delay(kPolicy, 1, seconds(2), 0.9), 2s);
  EXPECT_EQ(next_delay(kPolicy, 1, seconds(0), 0), 125ms);
}

}  // namespace
}  // namespace regfs::registry::retry_test
