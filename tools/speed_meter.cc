// SPDX-License-Identifier: MIT
#include "tools/speed_meter.h"

#include <algorithm>

namespace regfs {
namespace {

using namespace std::chrono_literals;

constexpr auto kWindow = 5s;  // long enough to smooth slow starts and bursts, short enough to show a stall
constexpr auto kStep = 500ms;
constexpr auto kFirstWord = 1s;
constexpr double kLongestMilliseconds = 1e12;

}  // namespace

void SpeedMeter::look(uint64_t bytes, Monotonic::time_point at) {
  if (kept_.empty() || bytes < last_.bytes || at < last_.at) {
    kept_.assign(1, {bytes, at});
    speed_.reset();
  }
  last_ = {bytes, at};
  if (at - kept_.back().at < kStep) return;
  kept_.push_back(last_);
  // The oldest one kept is the youngest that is at least a window old.
  while (kept_.size() > 2 && at - kept_[1].at >= kWindow) kept_.pop_front();
  const std::chrono::duration<double> span = at - kept_.front().at;
  if (span >= kFirstWord) speed_ = static_cast<double>(bytes - kept_.front().bytes) / span.count();
}

std::optional<double> SpeedMeter::bytes_per_second() const {
  return speed_;
}

std::optional<std::chrono::milliseconds> SpeedMeter::time_for(uint64_t bytes) const {
  if (!speed_ || *speed_ <= 0) return std::nullopt;
  const double milliseconds = static_cast<double>(bytes) / *speed_ * 1000;
  return std::chrono::milliseconds(static_cast<int64_t>(std::min(milliseconds, kLongestMilliseconds)));
}

}  // namespace regfs
