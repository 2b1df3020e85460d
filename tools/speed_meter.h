// SPDX-License-Identifier: MIT
// The speed of a growing number over the last few seconds: steady enough to read, quick enough to see a
// stall. Knows no clock: time comes with each look. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "base/clock.h"

namespace regfs {

class SpeedMeter {
 public:
  // `bytes` are there at `at`. Looks go forward in time; fewer bytes than before start anew.
  void look(uint64_t bytes, Monotonic::time_point at);

  // Unknown in the first second, which says little.
  std::optional<double> bytes_per_second() const;
  // Until `bytes` more are there at this speed; unknown when the speed is, or is zero.
  std::optional<std::chrono::milliseconds> time_for(uint64_t bytes) const;

 private:
  struct Look {
    uint64_t bytes;
    Monotonic::time_point at;
  };
  std::deque<Look> kept_;  // one each kStep, over kWindow
  Look last_{};
  std::optional<double> speed_;  // as of the last step, so that digits do not flicker
};

}  // namespace regfs
