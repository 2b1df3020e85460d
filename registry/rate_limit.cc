// SPDX-License-Identifier: MIT
#include "registry/rate_limit.h"

#include <charconv>

#include "registry/reference.h"
#include "registry/text.h"

namespace regfs::registry {
namespace {

// Registries are few; whoever makes up hosts without end is forgotten.
constexpr size_t kManyHosts = 1'000;

std::optional<uint64_t> whole_number(std::string_view text) {
  uint64_t value = 0;
  const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || stop != text.data() + text.size() || value > INT32_MAX) return std::nullopt;
  return value;
}

struct Quota {
  uint64_t value = 0;
  std::optional<std::chrono::seconds> window;
};

// "100;w=21600", and "100" alone.
std::optional<Quota> parse_quota(std::string_view text) {
  const size_t end = text.find(';');
  const std::optional<uint64_t> value = whole_number(trim(text.substr(0, end)));
  if (!value) return std::nullopt;
  Quota quota{*value, std::nullopt};
  while (!text.empty()) {
    const size_t semicolon = text.find(';');
    std::string_view item = trim(text.substr(0, semicolon));
    text = semicolon == std::string_view::npos ? std::string_view() : text.substr(semicolon + 1);
    if (!item.starts_with("w=") && !item.starts_with("W=")) continue;
    if (std::optional<uint64_t> seconds = whole_number(item.substr(2))) quota.window = std::chrono::seconds(*seconds);
  }
  return quota;
}

std::optional<Quota> quota_in(const Headers& headers, std::string_view name) {
  std::optional<std::string> value = headers.first(name);
  return value ? parse_quota(*value) : std::nullopt;
}

std::string advice(const std::string& registry_host, const std::string& identity) {
  if (!identity.empty()) return "the limit is that of " + identity;
  return "run '" + login_command(registry_host) + "' to raise the limit";
}

}  // namespace

std::string RateLimit::allowed() const {
  return std::to_string(limit) + " requests" + (window ? " in " + in_words(*window) : "");
}

std::optional<RateLimit> parse_rate_limit(const Headers& headers) {
  std::optional<Quota> limit = quota_in(headers, "ratelimit-limit");
  if (!limit) return std::nullopt;
  std::optional<Quota> remaining = quota_in(headers, "ratelimit-remaining");
  RateLimit parsed{limit->value, std::nullopt, limit->window};
  if (remaining) parsed.remaining = remaining->value;
  return parsed;
}

std::string in_words(std::chrono::milliseconds duration) {
  constexpr std::chrono::seconds kInSeconds{120};
  constexpr std::chrono::minutes kInMinutes{120};
  if (duration <= kInSeconds) return std::to_string(std::chrono::ceil<std::chrono::seconds>(duration).count()) + " s";
  if (duration < kInMinutes) return std::to_string(std::chrono::ceil<std::chrono::minutes>(duration).count()) + " min";
  return std::to_string(std::chrono::ceil<std::chrono::hours>(duration).count()) + " h";
}

std::string login_command(const std::string& registry_host) {
  return registry_host == kDockerHub ? "docker login" : "docker login " + registry_host;
}

void RateLimits::saw(const std::string& registry_host, const HttpHead& head, const std::string& identity) {
  std::optional<RateLimit> limit = parse_rate_limit(head.headers);
  if (!limit || !limit->remaining) return;
  const State state = limit->is_used_up() ? State::used_up : limit->runs_low() ? State::low : State::enough;
  bool worse = false;
  {
    MutexLock lock(mutex_);
    if (known_.size() >= kManyHosts) known_.clear();
    Known& known = known_[registry_host];
    if (known.limit == *limit) return;
    worse = state > known.state;
    known = {*limit, state};
  }
  const std::string left = registry_host + " allows " + limit->allowed() + ", and of these " +
                           (limit->is_used_up() ? "none" : std::to_string(*limit->remaining)) + " are left";
  if (worse) {
    log_.warning(left + "; " + advice(registry_host, identity));
  } else if (log_.debugs()) {
    log_.debug(left);
  }
}

}  // namespace regfs::registry
