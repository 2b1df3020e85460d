// SPDX-License-Identifier: MIT
#include "tools/speed_meter.h"

#include <gtest/gtest.h>

namespace regfs::speed_meter_test {
namespace {

using namespace std::chrono_literals;
const Monotonic::time_point kStart(1000h);

TEST(SpeedMeter, DoesNotGuessInTheFirstSecond) {
  SpeedMeter meter;
  meter.look(0, kStart);
  meter.look(1'000'000, kStart + 900ms);
  EXPECT_FALSE(meter.bytes_per_second());
  EXPECT_FALSE(meter.time_for(1));
}

TEST(SpeedMeter, CountsOnlyWhatCameSinceTheFirstLook) {
  SpeedMeter meter;
  meter.look(5'000'000, kStart);
  meter.look(5'002'000, kStart + 2s);
  EXPECT_DOUBLE_EQ(meter.bytes_per_second().value(), 1000);
  EXPECT_EQ(meter.time_for(3000).value(), 3s);
}

TEST(SpeedMeter, SmoothsBurstsAndNoticesAStall) {
  SpeedMeter meter;
  uint64_t bytes = 0;
  auto at = kStart;
  meter.look(bytes, at);
  for (int i = 0; i < 100; ++i) {  // a burst every other half second
    at += 100ms;
    if (i / 5 % 2 == 0) bytes += 200;
    meter.look(bytes, at);
    if (i > 50) {
      EXPECT_NEAR(meter.bytes_per_second().value(), 1000, 110) << i;
    }
  }
  for (int i = 0; i < 60; ++i) meter.look(bytes, at += 100ms);
  EXPECT_EQ(meter.bytes_per_second().value(), 0);
  EXPECT_FALSE(meter.time_for(1)) << "never, at this speed";
}

TEST(SpeedMeter, StartsAnewWhenThereIsLess) {
  SpeedMeter meter;
  meter.look(5000, kStart);
  meter.look(9000, kStart + 2s);
  meter.look(100, kStart + 3s);
  EXPECT_FALSE(meter.bytes_per_second());
}

}  // namespace
}  // namespace regfs::speed_meter_test
