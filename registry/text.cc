// SPDX-License-Identifier: MIT
#include "registry/text.h"

#include <algorithm>

#include "base/log.h"

namespace regfs::registry {
namespace {

constexpr std::string_view kBlanks = " \t";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

}  // namespace

std::string to_lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
  size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string_view prefix_of(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return text;
  // A sequence has at most three continuation bytes; a longer run is no UTF-8 and may be cut anywhere.
  size_t end = bytes;
  for (int i = 0; i < 3 && end > 0 && is_continuation(text[end]); ++i) --end;
  return text.substr(0, is_continuation(text[end]) ? bytes : end);
}

std::string in_quotes(std::string_view text) {
  std::string_view shown = prefix_of(text, kMaxQuotedBytes);
  return "'" + escape_controls(shown) + (shown.size() < text.size() ? "…'" : "'");
}

}  // namespace regfs::registry
