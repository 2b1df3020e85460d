// SPDX-License-Identifier: MIT
#include "tools/human_size.h"

#include <cstdio>

namespace regfs {
namespace {

constexpr uint64_t kWholeBelow = 1000;
constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
constexpr double kMostBytesPerSecond = 1e18;
constexpr int64_t kLongestGuessSeconds = 100 * 3600;

std::string clock(int64_t seconds) {
  char text[48];
  const auto hours = static_cast<long long>(seconds / 3600);
  const int minutes = static_cast<int>(seconds / 60 % 60);
  const int rest = static_cast<int>(seconds % 60);
  if (hours > 0) {
    std::snprintf(text, sizeof text, "%lld:%02d:%02d", hours, minutes, rest);
  } else {
    std::snprintf(text, sizeof text, "%d:%02d", minutes, rest);
  }
  return text;
}

}  // namespace

std::string human_size(uint64_t bytes) {
  if (bytes < kWholeBelow) return std::to_string(bytes) + " B";
  double amount = static_cast<double>(bytes) / 1024;
  const char* const* unit = kUnits;
  // 999.95 would be printed as 1000.0.
  while (amount >= 999.95) {
    amount /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", amount, *unit);
  return text;
}

std::string human_speed(double bytes_per_second) {
  if (!(bytes_per_second > 0)) return "0 B/s";
  const double bounded = bytes_per_second < kMostBytesPerSecond ? bytes_per_second : kMostBytesPerSecond;
  return human_size(static_cast<uint64_t>(bounded)) + "/s";
}

std::string human_duration(std::chrono::milliseconds time) {
  const int64_t seconds = time.count() / 1000;
  return seconds < kLongestGuessSeconds ? clock(seconds < 0 ? 0 : seconds) : "-:--";
}

std::string human_elapsed(std::chrono::milliseconds time) {
  if (time >= std::chrono::minutes(1)) return clock(time.count() / 1000);
  // Cut, not rounded: 59.99 s is not a minute yet.
  const int64_t tenths = time.count() < 0 ? 0 : time.count() / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

}  // namespace regfs
