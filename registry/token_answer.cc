// SPDX-License-Identifier: MIT
#include "registry/token_answer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "registry/json_parse.h"

namespace regfs::registry {
namespace {

// A handful of members; a registry may add a few of its own.
constexpr size_t kMaxAnswerValues = 10'000;

// The Authorization header takes visible ASCII.
bool fits_a_header(const std::string& token) {
  return std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

const std::string* non_empty_string(const Json& answer, std::string_view key) {
  const Json* member = answer.find(key);
  const std::string* text = member != nullptr ? member->string() : nullptr;
  return text != nullptr && !text->empty() ? text : nullptr;
}

std::chrono::seconds life(const Json* expires_in) {
  const uint64_t* seconds = expires_in != nullptr ? expires_in->natural() : nullptr;
  if (seconds == nullptr) return kShortestTokenLife;
  auto longest = static_cast<uint64_t>(kLongestTokenLife.count());
  return std::max(kShortestTokenLife, std::chrono::seconds(std::min(*seconds, longest)));
}

Error malformed_answer(const char* sentence) {
  return {Errc::malformed, sentence};
}

}  // namespace

Result<TokenAnswer> parse_token_answer(std::string_view body) {
  Result<Json> answer = parse_json(body, kMaxAnswerValues);
  // The parser's own sentence may quote a key: here even that could be a secret.
  if (!answer || answer->object() == nullptr)
    return malformed_answer("the answer of the token service is not a JSON object");
  const std::string* token = non_empty_string(*answer, "access_token");
  if (token == nullptr) token = non_empty_string(*answer, "token");
  if (token == nullptr) return malformed_answer("the answer of the token service holds no token");
  if (!fits_a_header(*token)) return malformed_answer("the token service sent a token that cannot stand in a header");
  const std::string* refresh_token = non_empty_string(*answer, "refresh_token");
  return TokenAnswer{Secret(*token), life(answer->find("expires_in")),
                     refresh_token != nullptr ? Secret(*refresh_token) : Secret()};
}

}  // namespace regfs::registry
