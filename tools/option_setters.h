// SPDX-License-Identifier: MIT
// What a row of an option table does with its value, for the kinds that many options share. `field` is a member of
// the options that the table is for. Pure; any thread.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tools/option_value.h"
#include "tools/shared_options.h"

namespace regfs {

// A program's table is applied to that program's options only.
template <typename Options, typename Value>
Value& option_field(Value Options::*field, SharedOptions& options) {
  return static_cast<Options&>(options).*field;
}

template <auto field>
Result<void> set_switch(std::string_view, SharedOptions& options) {
  option_field(field, options) = true;
  return {};
}

template <auto field>
Result<void> set_path(std::string_view value, SharedOptions& options) {
  if (value.empty()) return Error(Errc::invalid_argument, "a path is missing");
  option_field(field, options) = value;
  return {};
}

template <auto field, const TimeRange& range>
Result<void> set_time(std::string_view value, SharedOptions& options) {
  Result<std::chrono::milliseconds> time = parse_time(value, range);
  if (!time) return time.error();
  option_field(field, options) = *time;
  return {};
}

inline constexpr TimeRange kTimeoutRange{std::chrono::milliseconds(1), std::chrono::hours(24)};

}  // namespace regfs
