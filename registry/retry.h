// SPDX-License-Identifier: MIT
// Whether to try again, and when: decisions without a clock, a random source or a thread of their own.
// Pure; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace regfs::registry {

struct RetryPolicy {
  int attempts;                     // in all, the first included
  std::chrono::milliseconds first;  // before the second attempt; then doubles
  std::chrono::milliseconds longest;
  std::chrono::milliseconds longest_retry_after;  // a registry that asks for more is given up
};

// Seconds or an HTTP date (IMF-fixdate). A date in the past is 0; garbage is nullopt.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, Wall::time_point now);

// 408, 429 and the 5xx that pass (not 501). Never 401, 403, 404, 405 or 416: another try answers the same.
bool is_retryable_status(int status);

// How long to wait before the next attempt; nullopt: give up. Half of the delay is fixed and half is
// `jitter`, in [0, 1). `retry_after` is a lower bound.
std::optional<std::chrono::milliseconds> next_delay(const RetryPolicy& policy, int attempts_made,
                                                    std::optional<std::chrono::seconds> retry_after, double jitter);

}  // namespace regfs::registry
