// SPDX-License-Identifier: MIT
// The WWW-Authenticate grammar (RFC 7235, section 4.1), read as registries write it.
//
// One header may hold several challenges and there may be several headers. Values come quoted or bare,
// in odd case, with commas and escaped quotes inside. What cannot be understood is left out and never an
// error: the caller looks for a scheme that it can answer. Pure; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "registry/http.h"

namespace regfs::registry {

struct Challenge {
  std::string scheme;                             // lower case: "bearer", "basic"
  std::map<std::string, std::string> parameters;  // lower-case keys; of a repeated key the first value
};

// In the order they stand. A value with a control character in it is dropped: it would end up in a URL.
// A token68 is skipped: no scheme that regfs answers has one.
std::vector<Challenge> parse_challenges(const std::vector<std::string>& header_values);

// The value of a parameter; empty when it is not there.
std::string value_of(const Challenge& challenge, const std::string& key);

// Of an answer's headers: the first Bearer challenge that names its realm; whether Basic is asked for; what a challenge
// says is wrong with the token that was shown ("insufficient_scope"), or empty.
std::optional<Challenge> bearer_challenge(const HttpHead& head);
bool names_basic(const HttpHead& head);
std::string challenge_error(const HttpHead& head);

}  // namespace regfs::registry
