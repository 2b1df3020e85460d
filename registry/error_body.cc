// SPDX-License-Identifier: MIT
#include "registry/error_body.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <utility>

#include "registry/json_parse.h"
#include "registry/redact.h"
#include "registry/text.h"

namespace regfs::registry {
namespace {

constexpr size_t kMaxCodeBytes = 64;
constexpr size_t kMaxBodyValues = 10'000;
constexpr std::string_view kWhite = " \t\r\n";

struct Words {
  std::string code;
  std::string message;
  bool empty() const { return code.empty() && message.empty(); }
};

bool is_code(std::string_view word) {
  constexpr std::string_view kCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
  return !word.empty() && word.size() <= kMaxCodeBytes && word.find_first_not_of(kCharacters) == std::string_view::npos;
}

std::string shorten(std::string text, size_t bytes) {
  constexpr std::string_view kMore = "…";
  if (text.size() <= bytes) return text;
  return std::string(prefix_of(text, bytes - kMore.size())).append(kMore);
}

// ---- JSON ----------------------------------------------------------------------------------------

std::string first_text(const Json& object, std::initializer_list<std::string_view> keys) {
  for (std::string_view key : keys) {
    const Json* value = object.find(key);
    if (value != nullptr && value->string() != nullptr && !value->string()->empty()) return *value->string();
  }
  return {};
}

// The specification's code and message; OAuth's error and error_description; and what other servers
// put in place of a message.
Words words_of_entry(const Json& entry) {
  if (const std::string* text = entry.string(); text != nullptr) return {{}, *text};
  Words words;
  words.code = first_text(entry, {"code", "error"});
  words.message = first_text(entry, {"message", "error_description", "details", "detail"});
  if (words.message.empty() && !is_code(words.code)) std::swap(words.code, words.message);
  return words;
}

Words words_of_json(const Json& document) {
  const Json* errors = document.find("errors");
  if (errors == nullptr || errors->array() == nullptr) {
    const Json* error = document.find("error");
    return words_of_entry(error != nullptr && error->object() != nullptr ? *error : document);
  }
  for (const Json& entry : *errors->array()) {
    if (Words words = words_of_entry(entry); !words.empty()) return words;
  }
  return {};
}

// ---- XML and text --------------------------------------------------------------------------------

std::string unescape_xml(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
      {{"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}, {"&amp;", '&'}}};
  std::string out;
  while (!text.empty()) {
    auto entity =
        std::find_if(kEntities.begin(), kEntities.end(), [&](const auto& e) { return text.starts_with(e.first); });
    bool found = entity != kEntities.end();
    out.push_back(found ? entity->second : text.front());
    text.remove_prefix(found ? entity->first.size() : 1);
  }
  return out;
}

std::string element(std::string_view document, std::string_view name) {
  std::string open = "<" + std::string(name) + ">";
  size_t begin = document.find(open);
  if (begin == std::string_view::npos) return {};
  begin += open.size();
  size_t end = document.find('<', begin);
  if (end == std::string_view::npos) return {};
  return unescape_xml(document.substr(begin, end - begin));
}

// What object storage answers. HTML has no such elements, and says nothing useful.
Words words_of_xml(std::string_view document) {
  return {element(document, "Code"), element(document, "Message")};
}

Words words_of_text(std::string_view text) {
  std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  bool binary = line.find('\0') != std::string_view::npos || !is_utf8(line);
  return binary ? Words{} : Words{{}, std::string(line)};
}

Words words_of(std::string_view body) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (body.starts_with(kByteOrderMark)) body.remove_prefix(kByteOrderMark.size());
  size_t start = body.find_first_not_of(kWhite);
  if (start == std::string_view::npos) return {};
  body.remove_prefix(start);
  if (body.front() == '<') return words_of_xml(body);
  if (std::string_view("{[\"").find(body.front()) == std::string_view::npos) return words_of_text(body);
  Result<Json> document = parse_json(body, kMaxBodyValues);
  return document ? words_of_json(*document) : Words{};
}

}  // namespace

std::string describe_error_body(std::string_view body, const std::vector<Secret>& secrets) {
  Words words = words_of(body);
  words.code = without_secrets(std::move(words.code), secrets);
  words.message = without_secrets(std::move(words.message), secrets);
  std::string code = is_code(words.code) ? redact(words.code) : "";
  std::string message = redact(words.message);
  std::replace(message.begin(), message.end(), '"', '\'');
  if (message.empty() || equal_ignoring_case(message, code)) return code;
  if (code.empty()) return shorten(std::move(message), kMaxErrorSentenceBytes);
  size_t around = code.size() + std::string_view(" \"\"").size();
  return code + " \"" + shorten(std::move(message), kMaxErrorSentenceBytes - around) + "\"";
}

}  // namespace regfs::registry
