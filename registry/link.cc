// SPDX-License-Identifier: MIT
#include "registry/link.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "registry/text.h"

namespace regfs::registry {
namespace {

void skip_blanks(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
}

// A quoted string or a bare word; an unclosed quote goes to the end.
std::string take_value(std::string_view& rest) {
  std::string value;
  if (rest.empty() || rest.front() != '"') {
    size_t end = std::min(rest.find_first_of(",; \t"), rest.size());
    value = rest.substr(0, end);
    rest.remove_prefix(end);
    return value;
  }
  size_t i = 1;
  for (; i < rest.size() && rest[i] != '"'; ++i) {
    if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
    value.push_back(rest[i]);
  }
  rest.remove_prefix(std::min(i + 1, rest.size()));
  return value;
}

bool names_next(std::string_view relations) {
  while (true) {
    skip_blanks(relations);
    if (relations.empty()) return false;
    size_t end = std::min(relations.find_first_of(" \t"), relations.size());
    if (equal_ignoring_case(relations.substr(0, end), "next")) return true;
    relations.remove_prefix(end);
  }
}

// The parameters behind one <reference>, up to the comma that ends the link. The first rel counts.
bool take_parameters(std::string_view& rest) {
  std::optional<bool> next;
  while (true) {
    skip_blanks(rest);
    if (rest.empty() || rest.front() != ';') return next.value_or(false);
    rest.remove_prefix(1);
    skip_blanks(rest);
    size_t end = std::min(rest.find_first_of("=,; \t"), rest.size());
    std::string_view name = rest.substr(0, end);
    rest.remove_prefix(end);
    skip_blanks(rest);
    if (rest.empty() || rest.front() != '=') continue;
    rest.remove_prefix(1);
    skip_blanks(rest);
    std::string value = take_value(rest);
    if (!next && equal_ignoring_case(name, "rel")) next = names_next(value);
  }
}

// Empty: it leads nowhere.
std::string followable(std::string_view reference) {
  std::string whole;
  for (char c : reference) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20 || code == 0x7f) return {};
    whole += c == ' ' ? "%20" : std::string(1, c);
  }
  return whole;
}

Error leads_nowhere(std::string_view link) {
  const std::string_view without_query = link.substr(0, link.find('?'));
  return {Errc::bad_response, "its Link header names a next page that cannot be followed: " + in_quotes(without_query)};
}

// A link whose brackets are missing, in part or both.
Result<std::optional<std::string>> next_of_broken(std::string_view rest) {
  const std::string_view whole = rest;
  rest.remove_prefix(std::min(rest.find(';'), rest.size()));
  if (take_parameters(rest)) return leads_nowhere(whole);
  return std::optional<std::string>();
}

Result<std::optional<std::string>> next_of(std::string_view rest) {
  while (true) {
    const size_t open = rest.find('<');
    const size_t close = rest.find('>', std::min(open, rest.size()));
    if (close == std::string_view::npos) return next_of_broken(rest);
    const std::string_view link = rest.substr(open);
    const std::string_view reference = rest.substr(open + 1, close - open - 1);
    rest.remove_prefix(close + 1);
    if (!take_parameters(rest)) continue;
    std::string next = followable(reference);
    if (next.empty()) return leads_nowhere(link);
    return std::optional<std::string>(std::move(next));
  }
}

}  // namespace

Result<std::optional<std::string>> next_link(const std::vector<std::string>& link_header_values) {
  for (const std::string& value : link_header_values) {
    Result<std::optional<std::string>> next = next_of(value);
    if (!next || next->has_value()) return next;
  }
  return std::optional<std::string>();
}

}  // namespace regfs::registry
