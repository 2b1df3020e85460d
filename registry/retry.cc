// SPDX-License-Identifier: MIT
#include "registry/retry.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "registry/text.h"

namespace regfs::registry {
namespace {

// What a longer number of seconds is taken for: no policy waits so long.
constexpr std::chrono::seconds kForEver{INT32_MAX};

std::optional<int> digits(std::string_view text) {
  int value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<std::chrono::month> month_of(std::string_view name) {
  constexpr std::array<std::string_view, 12> kNames = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return std::chrono::month(static_cast<unsigned>(found - kNames.begin() + 1));
}

// "Sun, 06 Nov 1994 08:49:37 GMT", the only form that RFC 9110 lets a sender use.
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text) {
  constexpr std::string_view kShape = "???, ## ??? #### ##:##:## GMT";
  if (text.size() != kShape.size()) return std::nullopt;
  for (size_t i = 0; i < kShape.size(); ++i) {
    bool fits = kShape[i] == '?' || (kShape[i] == '#' ? text[i] >= '0' && text[i] <= '9' : text[i] == kShape[i]);
    if (!fits) return std::nullopt;
  }
  auto number = [&](size_t at, size_t length) { return digits(text.substr(at, length)).value_or(0); };
  std::optional<std::chrono::month> month = month_of(text.substr(8, 3));
  if (!month) return std::nullopt;
  std::chrono::year_month_day date(std::chrono::year(number(12, 4)), *month,
                                   std::chrono::day(static_cast<unsigned>(number(5, 2))));
  int hour = number(17, 2), minute = number(20, 2), second = number(23, 2);
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;  // 60: a leap second
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

}  // namespace

std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, Wall::time_point now) {
  value = trim(value);
  if (value.empty()) return std::nullopt;
  if (value.find_first_not_of("0123456789") == std::string_view::npos) {
    value.remove_prefix(std::min(value.find_first_not_of('0'), value.size()));
    if (value.size() > 9) return kForEver;  // ten digits may not fit an int
    return std::chrono::seconds(digits(value).value_or(0));
  }
  std::optional<std::chrono::sys_seconds> date = parse_http_date(value);
  if (!date) return std::nullopt;
  // In whole seconds first: a date of the year 9999 overflows the clock's nanoseconds.
  std::chrono::seconds wait = *date - std::chrono::floor<std::chrono::seconds>(now);
  return std::clamp(wait, std::chrono::seconds(0), kForEver);
}

bool is_retryable_status(int status) {
  switch (status) {
    case 408:
    case 429: return true;
    case 501:  // not implemented
    case 505:  // HTTP version not supported
    case 511:  // a captive portal wants a login
      return false;
    default: return status >= 500 && status <= 599;
  }
}

std::optional<std::chrono::milliseconds> next_delay(const RetryPolicy& policy, int attempts_made,
                                                    std::optional<std::chrono::seconds> retry_after, double jitter) {
  if (attempts_made >= policy.attempts) return std::nullopt;
  if (retry_after && *retry_after > policy.longest_retry_after) return std::nullopt;

  std::chrono::milliseconds delay = std::min(policy.first, policy.longest);
  for (int i = 1; i < attempts_made && delay < policy.longest; ++i) delay = std::min(delay * 2, policy.longest);
  std::chrono::milliseconds fixed = delay / 2;
  auto random = static_cast<double>((delay - fixed).count()) * std::clamp(jitter, 0.0, 1.0);
  delay = fixed + std::chrono::milliseconds(static_cast<int64_t>(random));
  return retry_after ? std::max<std::chrono::milliseconds>(delay, *retry_after) : delay;
}

}  // namespace regfs::registry
