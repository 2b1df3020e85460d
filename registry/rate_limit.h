// SPDX-License-Identifier: MIT
// How many requests a registry still allows, as its answers tell: `ratelimit-limit: 100;w=21600` and
// `ratelimit-remaining: 76;w=21600`, the window in seconds, as Docker Hub sends them.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/log.h"
#include "base/mutex.h"
#include "registry/http.h"

namespace regfs::registry {

struct RateLimit {
  uint64_t limit = 0;
  std::optional<uint64_t> remaining;
  std::optional<std::chrono::seconds> window;

  bool is_used_up() const { return remaining == uint64_t{0}; }
  bool runs_low() const { return remaining && *remaining <= limit / 10; }  // used up as well
  std::string allowed() const;                                             // "100 requests in 6 h"
  friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

// nullopt where an answer tells of no limit, or in words that cannot be understood. Pure.
std::optional<RateLimit> parse_rate_limit(const Headers& headers);

// "30 s", "90 min", "6 h": rounded up, for sentences. Pure.
std::string in_words(std::chrono::milliseconds duration);

// `docker login`, with the host unless it is Docker Hub. Pure.
std::string login_command(const std::string& registry_host);

// What each registry said last, told to the log: at debug when it changes, and as a warning once when few requests are
// left and once when none are. Owned by Client; safe to use from any thread.
class RateLimits {
 public:
  explicit RateLimits(Log& log) : log_(log) {}

  // An answer of the registry itself. `identity`: whose requests are counted; empty: nobody's by name.
  void saw(const std::string& registry_host, const HttpHead& head, const std::string& identity);

 private:
  enum class State { enough, low, used_up };
  struct Known {
    RateLimit limit;
    State state = State::enough;
  };

  Log& log_;
  Mutex mutex_;
  std::map<std::string, Known> known_ REGFS_GUARDED_BY(mutex_);  // by host
};

}  // namespace regfs::registry
