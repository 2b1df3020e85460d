// SPDX-License-Identifier: MIT
#include "registry/challenge.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "registry/text.h"

namespace regfs::registry {
namespace {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_token_character(char c) {
  return is_alphanumeric(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token68_character(char c) {
  return is_alphanumeric(c) || std::string_view("-._~+/").find(c) != std::string_view::npos;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// One header value, read from left to right; every step takes at least one character.
class Parser {
 public:
  Parser(std::string_view text, std::vector<Challenge>& challenges)
      : rest_(text), first_(challenges.size()), challenges_(challenges) {}

  void run() {
    while (skip(" \t,"), !rest_.empty()) {
      if (rest_.front() == '"') {
        take_quoted();  // belongs to nothing
        continue;
      }
      std::string_view word = take_while(is_token_character);
      if (word.empty()) {
        rest_.remove_prefix(1);
        continue;
      }
      read_after(word);
    }
  }

 private:
  // A word is a parameter's name when '=' follows, otherwise a scheme.
  void read_after(std::string_view word) {
    skip(" \t");
    if (!rest_.empty() && rest_.front() == '=') {
      rest_.remove_prefix(1);
      skip(" \t");
      read_value(word);
    } else {
      challenges_.push_back({to_lower(word), {}});
      skip_token68();
    }
  }

  void read_value(std::string_view name) {
    std::optional<std::string> value;
    if (!rest_.empty() && rest_.front() == '"') {
      value = take_quoted();
    } else if (std::string_view bare = take_while([](char c) { return c != ',' && c != ' ' && c != '\t'; });
               !bare.empty()) {
      value = std::string(bare);
    }
    bool belongs = challenges_.size() > first_;
    if (belongs && value && !has_control(*value)) {
      challenges_.back().parameters.emplace(to_lower(name), std::move(*value));
    }
  }

  // `Negotiate YII…==`: letters, then '=' signs, then a comma or the end.
  void skip_token68() {
    std::string_view before = rest_;
    bool any = !take_while(is_token68_character).empty();
    take_while([](char c) { return c == '='; });
    skip(" \t");
    if (!any || !(rest_.empty() || rest_.front() == ',')) rest_ = before;
  }

  // nullopt when the closing quote is missing: then nothing behind it can be understood either.
  std::optional<std::string> take_quoted() {
    std::string value;
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return value;
      }
      if (rest_[i] == '\\' && i + 1 < rest_.size()) ++i;
      value.push_back(rest_[i]);
    }
    rest_ = {};
    return std::nullopt;
  }

  void skip(std::string_view characters) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(characters), rest_.size()));
  }

  template <typename Predicate>
  std::string_view take_while(Predicate wanted) {
    auto end = std::find_if_not(rest_.begin(), rest_.end(), wanted);
    std::string_view taken = rest_.substr(0, static_cast<size_t>(end - rest_.begin()));
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view rest_;
  const size_t first_;  // the challenges before it are another header's
  std::vector<Challenge>& challenges_;
};

std::vector<Challenge> challenges_of(const HttpHead& head) {
  return parse_challenges(head.headers.all("WWW-Authenticate"));
}

}  // namespace

std::vector<Challenge> parse_challenges(const std::vector<std::string>& header_values) {
  std::vector<Challenge> challenges;
  for (const std::string& value : header_values) Parser(value, challenges).run();
  return challenges;
}

std::string value_of(const Challenge& challenge, const std::string& key) {
  auto found = challenge.parameters.find(key);
  return found == challenge.parameters.end() ? std::string() : found->second;
}

std::optional<Challenge> bearer_challenge(const HttpHead& head) {
  for (Challenge& challenge : challenges_of(head)) {
    if (challenge.scheme == "bearer" && !value_of(challenge, "realm").empty()) return std::move(challenge);
  }
  return std::nullopt;
}

bool names_basic(const HttpHead& head) {
  const std::vector<Challenge> challenges = challenges_of(head);
  return std::any_of(challenges.begin(), challenges.end(), [](const Challenge& one) { return one.scheme == "basic"; });
}

std::string challenge_error(const HttpHead& head) {
  for (const Challenge& challenge : challenges_of(head)) {
    if (std::string error = value_of(challenge, "error"); !error.empty()) return error;
  }
  return {};
}

}  // namespace regfs::registry
