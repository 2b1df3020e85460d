// SPDX-License-Identifier: MIT
// Values that options take. Pure; any thread. Errors (Errc::invalid_argument) name the value and what is allowed.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace regfs {

struct TimeRange {
  std::chrono::milliseconds shortest;
  std::chrono::milliseconds longest;
};

// "10" is seconds; also "500ms", "90s", "5m", "1h". Whole numbers only.
Result<std::chrono::milliseconds> parse_time(std::string_view text, const TimeRange& range);

// "20G": a whole number of bytes, or of KiB, MiB, GiB or TiB with K, M, G or T; not less than that.
Result<uint64_t> parse_size(std::string_view text, uint64_t least_bytes);

// A decimal number from least to most.
Result<int> parse_count(std::string_view text, int least, int most);

// What is wrong with a command line, in one sentence.
Error usage_error(std::string sentence);

// Empty when it is not set.
std::string environment_variable(const char* name);

}  // namespace regfs
