// SPDX-License-Identifier: MIT
#include "registry/link.h"

#include <algorithm>
#include <string_view>

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

bool is_reference(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
}

std::optional<std::string> next_of(std::string_view rest) {
  while (true) {
    size_t open = rest.find('<');
    if (open == std::string_view::npos) return std::nullopt;
    size_t close = rest.find('>', open);
    if (close == std::string_view::npos) return std::nullopt;
    std::string_view reference = rest.substr(open + 1, close - open - 1);
    rest.remove_prefix(close + 1);
    if (take_parameters(rest) && is_reference(reference)) return std::string(reference);
  }
}

}  // namespace

std::optional<std::string> next_link(const std::vector<std::string>& link_header_values) {
  for (const std::string& value : link_header_values) {
    if (std::optional<std::string> next = next_of(value)) return next;
  }
  return std::nullopt;
}

}  // namespace regfs::registry
