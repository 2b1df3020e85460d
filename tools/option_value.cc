// SPDX-License-Identifier: MIT
#include "tools/option_value.h"

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

namespace regfs {
namespace {

using std::chrono::milliseconds;

std::optional<milliseconds> unit_of(std::string_view suffix) {
  if (suffix.empty() || suffix == "s") return std::chrono::seconds(1);
  if (suffix == "ms") return milliseconds(1);
  if (suffix == "m") return std::chrono::minutes(1);
  if (suffix == "h") return std::chrono::hours(1);
  return std::nullopt;
}

std::string shown(milliseconds time) {
  const auto count = time.count();
  if (count % 3'600'000 == 0 && count != 0) return std::to_string(count / 3'600'000) + "h";
  if (count % 1000 == 0) return std::to_string(count / 1000) + "s";
  return std::to_string(count) + "ms";
}

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

// The digits a text begins with, and what follows; nullopt when there are none or too many.
struct Number {
  int64_t value;
  std::string_view rest;
};
std::optional<Number> leading_number(std::string_view text) {
  Number number{0, {}};
  const char* end = text.data() + text.size();
  const auto [after, failed] = std::from_chars(text.data(), end, number.value);
  if (failed != std::errc() || number.value < 0 || text.front() == '-') return std::nullopt;
  number.rest = text.substr(static_cast<size_t>(after - text.data()));
  return number;
}

}  // namespace

Result<milliseconds> parse_time(std::string_view text, const TimeRange& range) {
  const std::optional<Number> number = leading_number(text);
  const std::optional<milliseconds> unit = number ? unit_of(number->rest) : std::nullopt;
  if (!unit) {
    return Error(Errc::invalid_argument,
                 quoted(text) + " is no time; give whole seconds, or a number with ms, s, m or h (500ms, 5m)");
  }
  // Compared by division, so that no product overflows.
  if (number->value > range.longest / *unit || *unit * number->value < range.shortest) {
    return Error(Errc::invalid_argument, quoted(text) + " is out of range; give a time from " + shown(range.shortest) +
                                             " to " + shown(range.longest));
  }
  return *unit * number->value;
}

Result<uint64_t> parse_size(std::string_view text, uint64_t least_bytes) {
  constexpr std::string_view kUnits = "KMGT";
  const std::optional<Number> number = leading_number(text);
  const size_t unit = number && number->rest.size() == 1 ? kUnits.find(number->rest.front()) : std::string_view::npos;
  if (!number || (!number->rest.empty() && unit == std::string_view::npos)) {
    return Error(Errc::invalid_argument, quoted(text) + " is no size; give a number with K, M, G or T (500M, 20G)");
  }
  const uint64_t shift = number->rest.empty() ? 0 : 10 * (unit + 1);
  const auto value = static_cast<uint64_t>(number->value);
  if (value > (uint64_t{1} << 62) >> shift || (value << shift) < least_bytes) {
    return Error(Errc::invalid_argument,
                 quoted(text) + " is out of range; give at least " + std::to_string(least_bytes >> 20) + "M");
  }
  return value << shift;
}

Result<int> parse_count(std::string_view text, int least, int most) {
  const std::optional<Number> number = leading_number(text);
  if (!number || !number->rest.empty() || number->value < least || number->value > most) {
    return Error(Errc::invalid_argument, quoted(text) + " is not allowed; give a number from " + std::to_string(least) +
                                             " to " + std::to_string(most));
  }
  return static_cast<int>(number->value);
}

Error usage_error(std::string sentence) {
  return Error(Errc::invalid_argument, std::move(sentence));
}

std::string environment_variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace regfs
