// SPDX-License-Identifier: MIT
// The answer of a token realm, to GET and to OAuth2 POST alike. Pure; any thread.
#pragma once

#include <chrono>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace regfs::registry {

inline constexpr std::chrono::seconds kShortestTokenLife{60};  // the token specification's default and least
inline constexpr std::chrono::seconds kLongestTokenLife{24 * 60 * 60};

struct TokenAnswer {
  Secret token;
  std::chrono::seconds expires_in;  // from when it was asked for; kShortestTokenLife..kLongestTokenLife
  Secret refresh_token = {};        // in place of the one that was shown; empty: that one stays good
};

// `access_token`, or else `token`. A token that could not stand in a header (empty, control characters,
// not ASCII) is Errc::malformed; the sentence never quotes the body. An expires_in that is absent or
// nonsense is kShortestTokenLife.
Result<TokenAnswer> parse_token_answer(std::string_view body);

}  // namespace regfs::registry
