// SPDX-License-Identifier: MIT
#include "registry/rate_limit.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"
#include "tests/support/memory_log.h"

namespace regfs::registry::rate_limit_test {
namespace {

using namespace std::chrono_literals;

HttpHead head(const std::string& limit, const std::string& remaining) {
  HttpHead head{200, {}};
  if (!limit.empty()) head.headers.add("RateLimit-Limit", limit);
  if (!remaining.empty()) head.headers.add("ratelimit-remaining", remaining);
  return head;
}

TEST(RateLimit, IsNothingWhereAnAnswerTellsNoneOrNonsense) {
  EXPECT_EQ(parse_rate_limit({}), std::nullopt);
  for (const char* limit : {"-1", "x", "100x", ";w=5", "99999999999999999999", "1e3", " "}) {
    EXPECT_EQ(parse_rate_limit(head(limit, "5").headers), std::nullopt) << limit;
  }
}

TEST(RateLimit, IsReadAsDockerHubWritesIt) {
  EXPECT_EQ(parse_rate_limit(head("100;w=21600", "76;w=21600").headers), (RateLimit{100, 76, 21600s}));
  EXPECT_EQ(parse_rate_limit(head(" 100 ; w=21600 ;q=1", "0").headers), (RateLimit{100, 0, 21600s}));
  EXPECT_EQ(parse_rate_limit(head("100;w=x", "y").headers), (RateLimit{100, std::nullopt, std::nullopt}));
  EXPECT_EQ(parse_rate_limit(head("2000", "").headers), (RateLimit{2000, std::nullopt, std::nullopt}));
}

TEST(RateLimit, SaysTimesAsPeopleDo) {
  EXPECT_EQ(in_words(1500ms), "2 s");
  EXPECT_EQ(in_words(2min), "120 s");
  EXPECT_EQ(in_words(3601s), "61 min");
  EXPECT_EQ(in_words(21600s), "6 h");
  EXPECT_EQ(in_words(24h), "24 h");
}

class RateLimitsTest : public ::testing::Test {
 protected:
  void see(uint64_t remaining, const std::string& host = "docker.io", const std::string& identity = "") {
    limits_.saw(host, head("100;w=21600", std::to_string(remaining) + ";w=21600"), identity);
  }
  size_t warnings() const {
    size_t count = 0;
    for (const test::LogLine& line : log_.lines()) count += line.level == LogLevel::warning ? 1 : 0;
    return count;
  }

  test::FakeClock clock_;
  test::MemoryLog log_{clock_};
  RateLimits limits_{log_.log()};
};

TEST_F(RateLimitsTest, SayNothingOfARegistryThatTellsNoLimit) {
  limits_.saw("ghcr.io", head("", ""), "");
  limits_.saw("ghcr.io", head("100", ""), "");
  EXPECT_TRUE(log_.lines().empty());
}

TEST_F(RateLimitsTest, TellWhatIsLeftAtDebugWhenItChanges) {
  see(76);
  see(76);
  see(75);
  EXPECT_EQ(log_.count("docker.io allows 100 requests in 6 h, and of these 76 are left"), 1u);
  EXPECT_EQ(log_.count("75 are left"), 1u);
  EXPECT_EQ(warnings(), 0u);
}

TEST_F(RateLimitsTest, WarnOnceWhenFewAreLeftAndOnceWhenNoneIs) {
  for (uint64_t left : {11u, 10u, 9u, 1u, 0u}) see(left);
  see(0);
  EXPECT_EQ(warnings(), 2u);
  EXPECT_TRUE(log_.contains("10 are left; run 'docker login' to raise the limit"));
  EXPECT_TRUE(log_.contains("none are left; run 'docker login' to raise the limit"));
}

TEST_F(RateLimitsTest, WarnAgainInTheNextWindow) {
  see(5);
  see(100);
  see(5);
  EXPECT_EQ(warnings(), 2u);
}

TEST_F(RateLimitsTest, AreThoseOfEachRegistryAndNameWhoIsLimited) {
  see(5, "reg.example", "user ann from a file");
  see(5, "other.example");
  EXPECT_EQ(warnings(), 2u);
  EXPECT_TRUE(
      log_.contains("reg.example allows 100 requests in 6 h, and of these 5 are left; the limit is that of user ann"));
  EXPECT_TRUE(log_.contains("run 'docker login other.example' to raise the limit"));
}

}  // namespace
}  // namespace regfs::registry::rate_limit_test
