// SPDX-License-Identifier: MIT
// Time that passes only when a test says so. Safe to use from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <new>

#include "base/clock.h"

namespace regfs::test {

class FakeClock : public Clock {
 public:
  Monotonic::time_point now() const override {
    if (out_of_memory_) throw std::bad_alloc();
    return Monotonic::time_point(kStart + passed_.load());
  }
  // Starts at 2024-01-01T00:00:00Z and goes with the monotonic clock.
  Wall::time_point wall_now() const override {
    return Wall::time_point(std::chrono::duration_cast<Wall::duration>(kWallStart + passed_.load()));
  }

  // From now on now() throws as what runs beside it might, or no more.
  void run_out_of_memory(bool out) { out_of_memory_ = out; }

  void advance(std::chrono::nanoseconds by) {
    std::chrono::nanoseconds before = passed_.load();
    while (!passed_.compare_exchange_weak(before, before + by)) {
    }
  }

 private:
  static constexpr std::chrono::nanoseconds kStart = std::chrono::hours(1000);  // not zero: zero often means never
  static constexpr std::chrono::nanoseconds kWallStart = std::chrono::seconds(1704067200);
  std::atomic<bool> out_of_memory_ = false;
  std::atomic<std::chrono::nanoseconds> passed_{std::chrono::nanoseconds(0)};
};

}  // namespace regfs::test
