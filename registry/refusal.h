// SPDX-License-Identifier: MIT
// An HTTP status that is not what was asked for, as an Error with a sentence for people. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace regfs::registry {

// How much of a refusing answer's body is read: its words stand at the beginning.
inline constexpr size_t kMaxErrorBodyBytes = 64u << 10;

struct Refusal {
  int status = 0;
  std::string answered_by;    // "ghcr.io"; of a redirect, the host it led to
  std::string registry_host;  // as the user names it, for the advice
  std::string what;           // "acme/api:v1"
  std::string body;
};

// `401 from ghcr.io for acme/api: credentials needed; run 'docker login ghcr.io'`, with the registry's own
// words where it has some.
Error to_error(const Refusal& refusal);

}  // namespace regfs::registry
