// SPDX-License-Identifier: MIT
// An HTTP status that is not what was asked for, as an Error with a sentence for people. Pure; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "registry/http.h"
#include "registry/rate_limit.h"

namespace regfs::registry {

// How much of a refusing answer's body is read: its words stand at the beginning.
inline constexpr size_t kMaxErrorBodyBytes = 64u << 10;

// What the one who refuses was shown.
struct Shown {
  std::string identity = {};         // whose credential; empty: nobody's
  std::vector<Secret> secrets = {};  // of it, which the answer may repeat and no sentence may
};

// What stands around a refusal.
struct Circumstances {
  Shown shown;
  std::optional<std::chrono::seconds> retry_after;  // when the registry wants to be asked again
  std::chrono::milliseconds longest_wait{0};        // that would have been obeyed
  std::optional<RateLimit> limit;
  bool odd_challenge = false;  // it was challenged for a credential in words that nobody understands
};

Circumstances circumstances(const HttpHead& head, Shown shown, Wall::time_point now,
                            std::chrono::milliseconds longest_wait);

struct Refusal {
  int status = 0;
  std::string answered_by;    // "ghcr.io"; of a redirect or a token service, its host
  std::string registry_host;  // as the user names it, for the advice
  std::string what;           // "ghcr.io/acme/api:v1"
  std::string body;
  Circumstances around;
};

// `ghcr.io/acme/api:v1: credentials needed (ghcr.io: 401 UNAUTHORIZED "authentication required"); used: anonymous;
// run 'docker login ghcr.io'`: what, the cause in plain words, who answered with what, the identity, the next step.
Error to_error(const Refusal& refusal);

}  // namespace regfs::registry
