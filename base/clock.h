// SPDX-License-Identifier: MIT
// The two clocks, behind an interface so that tests own time. Timers and expiry use the monotonic
// one (a wall clock jumps); the wall clock is for HTTP dates and log lines only.
#pragma once

#include <chrono>

namespace regfs {

using Monotonic = std::chrono::steady_clock;
using Wall = std::chrono::system_clock;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Monotonic::time_point now() const = 0;
  virtual Wall::time_point wall_now() const = 0;
};

// The machine's own. Safe to use from any thread.
class SystemClock : public Clock {
 public:
  Monotonic::time_point now() const override { return Monotonic::now(); }
  Wall::time_point wall_now() const override { return Wall::now(); }
};

}  // namespace regfs
