// SPDX-License-Identifier: MIT
// One line on a terminal that tells how far a count of bytes has come: drawn over itself, at most ten times a second,
// and erased at the end. Elsewhere nothing but messages. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "tools/progress_view.h"
#include "tools/speed_meter.h"

namespace regfs {

class ByteProgress {
 public:
  static constexpr std::chrono::milliseconds kEvery{100};

  // `clock` must outlive it.
  ByteProgress(std::string word, uint64_t whole_bytes, Terminal terminal, const Clock& clock,
               std::function<void(std::string_view)> write);
  ~ByteProgress();
  ByteProgress(const ByteProgress&) = delete;
  ByteProgress& operator=(const ByteProgress&) = delete;

  void add(uint64_t bytes);
  // A line of its own, without its end, above the progress.
  void message(std::string_view line);

 private:
  void draw();
  void erase();

  const std::string word_;
  const uint64_t whole_bytes_;
  const Terminal terminal_;
  const Clock& clock_;
  const std::function<void(std::string_view)> write_;
  uint64_t bytes_ = 0;
  Monotonic::time_point drawn_at_;
  bool drawn_ = false;
  SpeedMeter meter_;
};

}  // namespace regfs
