// SPDX-License-Identifier: MIT
// Amounts as people read them. ASCII, of bounded width so that columns hold. Pure; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace regfs {

// "512 B", "29.9 MiB": below 1000 bytes whole, from there in IEC units with one decimal. The number stays
// below 1000: 1000 KiB is "1.0 MiB", so that no size is wider than "999.9 KiB". 2^64 - 1 is "16.0 EiB".
std::string human_size(uint64_t bytes);
inline constexpr size_t kHumanSizeColumns = 9;

// "5.2 MiB/s". Negative and not a number are "0 B/s".
std::string human_speed(double bytes_per_second);
inline constexpr size_t kHumanSpeedColumns = kHumanSizeColumns + 2;

// "0:03", "12:40", "1:02:03"; cut to whole seconds. From 100 hours on "-:--": no such guess is worth reading.
std::string human_duration(std::chrono::milliseconds time);
inline constexpr size_t kHumanDurationColumns = 8;

// How long something took: "0.4 s" below a minute, then as human_duration(); never "-:--".
std::string human_elapsed(std::chrono::milliseconds time);

}  // namespace regfs
