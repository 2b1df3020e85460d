// SPDX-License-Identifier: MIT
// The few things done to wire text everywhere in this folder: ASCII letters without a locale, and
// quoting in a sentence. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace regfs::registry {

inline constexpr size_t kMaxQuotedBytes = 60;  // enough to recognise a word, too little to fill a log

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
std::string to_lower(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);

// Without spaces and tabs at both ends.
std::string_view trim(std::string_view text);

// The longest prefix of at most `bytes` bytes that does not cut a UTF-8 sequence.
std::string_view prefix_of(std::string_view text, size_t bytes);

// 'text' for a sentence: control characters escaped, cut to kMaxQuotedBytes with "…" behind.
std::string in_quotes(std::string_view text);

}  // namespace regfs::registry
