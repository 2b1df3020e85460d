// SPDX-License-Identifier: MIT
#include "registry/redact.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "registry/text.h"

namespace regfs::registry {
namespace {

constexpr size_t kHexOfDigest = 64;
constexpr size_t kShortestMixedRun = 20;  // letters and digits in one piece: no word of a language
constexpr size_t kShortestAnyRun = 40;    // longer than the error codes of the clouds
constexpr size_t kShortestPadded = 8;     // base64 that ends in '='
constexpr size_t kShortestPrefixed = 12;

struct Character {
  uint32_t point;
  size_t bytes;
};

// The character at the front of `text`, which is not empty; nullopt when it is no UTF-8.
std::optional<Character> decode(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return Character{byte(0), 1};
  size_t bytes = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
  if (byte(0) < 0xC2 || byte(0) > 0xF4 || text.size() < bytes) return std::nullopt;
  uint32_t point = byte(0) & (0x7Fu >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return std::nullopt;
    point = (point << 6) | (byte(i) & 0x3Fu);
  }
  constexpr std::array<uint32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  if (point < kLeast[bytes] || point > 0x10FFFF || surrogate) return std::nullopt;
  return Character{point, bytes};
}

// C0, DEL, C1, line separators, and the marks that turn the direction of writing.
bool is_control(uint32_t point) {
  return point < 0x20 || (point >= 0x7F && point <= 0x9F) || (point >= 0x200E && point <= 0x200F) ||
         (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069) || point == 0xFEFF;
}

std::string on_one_line(std::string_view text) {
  std::string line;
  while (!text.empty()) {
    std::optional<Character> character = decode(text);
    size_t bytes = character ? character->bytes : 1;
    if (!character) {
      line.push_back('?');
    } else if (is_control(character->point) || character->point == ' ') {
      if (!line.empty() && line.back() != ' ') line.push_back(' ');
    } else {
      line.append(text.substr(0, bytes));
    }
    text.remove_prefix(bytes);
  }
  if (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f');
}

std::string without_query_and_user(std::string_view word) {
  size_t scheme = word.find("://");
  size_t query = word.find('?');
  bool has_query = query != std::string_view::npos &&
                   (scheme != std::string_view::npos || word.find('=', query) != std::string_view::npos);
  if (has_query) word = word.substr(0, query);
  if (scheme == std::string_view::npos || scheme >= word.size()) return std::string(word);
  size_t host = scheme + 3;
  size_t end = std::min(word.find_first_of("/#", host), word.size());
  size_t at = word.substr(0, end).rfind('@');
  if (at == std::string_view::npos || at < host) return std::string(word);
  return std::string(word.substr(0, host)).append(word.substr(at + 1));
}

std::string without_digests(std::string_view word) {
  constexpr std::string_view kDigest = "sha256:";
  std::string out(word);
  for (size_t at = out.find(kDigest); at != std::string::npos; at = out.find(kDigest, at + 1)) {
    auto begin = out.begin() + static_cast<std::ptrdiff_t>(at + kDigest.size());
    auto length = static_cast<size_t>(std::find_if_not(begin, out.end(), is_hex) - begin);
    if (length == kHexOfDigest) out.erase(at + kDigest.size(), length);
  }
  return out;
}

// `text` is one run of letters, digits and '+'.
bool is_token_run(std::string_view run) {
  bool mixed = std::any_of(run.begin(), run.end(), is_digit) && std::any_of(run.begin(), run.end(), is_letter);
  return run.size() >= (mixed ? kShortestMixedRun : kShortestAnyRun);
}

bool has_token_run(std::string_view word) {
  auto in_run = [](char c) { return is_letter(c) || is_digit(c) || c == '+'; };
  for (auto begin = word.begin(); begin != word.end();) {
    auto end = std::find_if_not(begin, word.end(), in_run);
    if (is_token_run(word.substr(static_cast<size_t>(begin - word.begin()), static_cast<size_t>(end - begin))))
      return true;
    begin = end == word.end() ? end : end + 1;
  }
  return false;
}

bool has_token_prefix(std::string_view word) {
  // JSON Web Tokens, and the tokens of GitHub, GitLab, Docker and Google, whose parts may be short.
  constexpr std::array<std::string_view, 8> kPrefixes = {"eyJ",         "ghp_",   "gho_",      "ghs_",
                                                         "github_pat_", "glpat-", "dckr_pat_", "ya29."};
  return std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](std::string_view prefix) {
    size_t at = word.find(prefix);
    return at != std::string_view::npos && word.size() - at >= kShortestPrefixed;
  });
}

bool is_padded(std::string_view word) {
  size_t end = word.find_last_not_of(".,;:'\")");
  return end != std::string_view::npos && end + 1 >= kShortestPadded && word[end] == '=';
}

bool looks_like_token(std::string_view word) {
  std::string bare = without_digests(word);
  return has_token_run(bare) || has_token_prefix(bare) || is_padded(bare);
}

bool names_a_secret(std::string_view word) {
  constexpr std::array<std::string_view, 7> kNames = {"token",     "password",   "passwd",       "secret",
                                                      "signature", "credential", "authorization"};
  std::string lower = to_lower(word);
  return std::any_of(kNames.begin(), kNames.end(), [&](std::string_view name) { return lower.ends_with(name); });
}

// `password=hunter2` shows the name alone.
std::optional<size_t> end_of_secret_name(std::string_view word) {
  size_t at = word.find_first_of("=:");
  while (at != std::string_view::npos && at + 1 < word.size()) {
    std::string_view name = word.substr(0, at);
    while (!name.empty() && (name.back() == '"' || name.back() == '\'')) name.remove_suffix(1);
    if (names_a_secret(name)) return at + 1;
    at = word.find_first_of("=:", at + 1);
  }
  return std::nullopt;
}

// What follows "Bearer" or "Basic" is a credential unless it reads like a word: "Basic authentication".
bool is_no_word(std::string_view word) {
  return word.size() >= kShortestPadded && std::any_of(word.begin() + 1, word.end(), [](char c) {
           return is_digit(c) || (c >= 'A' && c <= 'Z') || c == '=';
         });
}

bool is_scheme(std::string_view word) {
  return equal_ignoring_case(word, "bearer") || equal_ignoring_case(word, "basic");
}

std::string redact_word(std::string_view word, std::string_view before) {
  std::string shown = without_query_and_user(word);
  if (std::optional<size_t> name = end_of_secret_name(shown)) return shown.substr(0, *name) + "***";
  if (shown.empty() || looks_like_token(shown) || (is_scheme(before) && is_no_word(shown))) return "***";
  return shown;
}

}  // namespace

std::string redact(std::string_view text) {
  std::string line = on_one_line(text);
  std::string_view rest = line;
  std::string_view before;
  std::string out;
  while (!rest.empty()) {
    std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    if (!out.empty()) out.push_back(' ');
    out.append(redact_word(word, before));
    before = word;
  }
  return out;
}

std::string without_secrets(std::string text, const std::vector<Secret>& secrets) {
  constexpr size_t kShortestSecret = 4;
  constexpr std::string_view kHidden = "***";
  for (const Secret& secret : secrets) {
    const std::string& hidden = secret.reveal();
    if (hidden.size() < kShortestSecret) continue;
    for (size_t at = text.find(hidden); at != std::string::npos; at = text.find(hidden, at + kHidden.size())) {
      text.replace(at, hidden.size(), kHidden);
    }
  }
  return text;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    std::optional<Character> character = decode(text);
    if (!character) return false;
    text.remove_prefix(character->bytes);
  }
  return true;
}

}  // namespace regfs::registry
