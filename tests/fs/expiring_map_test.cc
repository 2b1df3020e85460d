// SPDX-License-Identifier: MIT
#include "fs/expiring_map.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/fake_clock.h"

namespace regfs::fs::expiring_map_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(ExpiringMap, ForgetsAnAnswerWhenItsTimeIsOver) {
  test::FakeClock clock;
  ExpiringMap<std::string, int> map(clock, 10);
  map.put("a", 1, seconds(5));
  clock.advance(seconds(4));
  ASSERT_TRUE(map.get("a"));
  EXPECT_EQ(map.get("a")->left, seconds(1));
  clock.advance(seconds(1));
  EXPECT_FALSE(map.get("a"));
}

TEST(ExpiringMap, ALaterAnswerTakesThePlaceOfAnEarlierOne) {
  test::FakeClock clock;
  ExpiringMap<std::string, int> map(clock, 10);
  map.put("a", 1, seconds(5));
  map.put("a", 2, seconds(1));
  EXPECT_EQ(map.get("a")->value, 2);
  clock.advance(seconds(1));
  EXPECT_FALSE(map.get("a"));
}

TEST(ExpiringMap, AFullMapLetsGoOfWhatEndsFirst) {
  test::FakeClock clock;
  ExpiringMap<int, int> map(clock, 2);
  map.put(1, 1, seconds(9));
  map.put(2, 2, seconds(1));
  map.put(3, 3, seconds(5));
  EXPECT_TRUE(map.get(1));
  EXPECT_FALSE(map.get(2));
  EXPECT_TRUE(map.get(3));
}

TEST(ExpiringMap, WhatIsDroppedIsGone) {
  test::FakeClock clock;
  ExpiringMap<int, int> map(clock, 2);
  map.put(1, 1, milliseconds(9));
  map.drop(1);
  EXPECT_FALSE(map.get(1));
}

}  // namespace
}  // namespace regfs::fs::expiring_map_test
