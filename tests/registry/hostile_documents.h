// SPDX-License-Identifier: MIT
// Bodies that no parser of this folder may take for a document, whatever it expects.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace regfs::registry {

struct HostileDocument {
  const char* name;
  std::string body;
};

inline std::string repeated(const std::string& piece, size_t times) {
  std::string text;
  text.reserve(piece.size() * times);
  for (size_t i = 0; i < times; ++i) text += piece;
  return text;
}

// None of them is a JSON object, or not all of one.
inline std::vector<HostileDocument> hostile_documents() {
  using namespace std::string_literals;
  constexpr size_t kMany = size_t{4} << 20;
  return {
      {"empty", ""},
      {"white space", " \r\n\t"},
      {"null", "null"},
      {"true", "true"},
      {"a number", "7"},
      {"a huge number", repeated("9", 100'000)},
      {"an infinite number", "1e999999"},
      {"a string", "\"sha256\""},
      {"an array", "[]"},
      {"HTML", "<!DOCTYPE html><html><body>Sign in</body></html>"},
      {"XML", "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>"},
      {"plain text", "404 page not found\n"},
      {"cut", R"({"name":"acme/api","tags":["v1","v2)"},
      {"cut in a number", R"({"schemaVersion":2)"},
      {"trailing junk", "{} {}"},
      {"junk behind a NUL byte", "{}\0{"s},
      {"a NUL byte in a string", "{\"a\":\"\0\"}"s},
      {"a control character in a string", "{\"a\":\"\n\"}"},
      {"a comment", "{/* */}"},
      {"a comma too many", R"({"a":1,})"},
      {"invalid UTF-8", "{\"a\":\"\xff\xfe\"}"},
      {"overlong UTF-8", "{\"a\":\"\xc0\xaf\"}"},
      {"half a surrogate", R"({"a":"\ud800"})"},
      {"UTF-16", "{\0}\0"s},
      {"gzip", "\x1f\x8b\x08\0\0\0"s},
      {"a key twice", R"({"a":1,"a":2})"},
      {"a key twice, once escaped", R"({"a":1,"\u0061":2})"},
      {"a key twice, deep", R"({"a":[{"b":{"c":1,"d":2,"c":3}}]})"},
      {"4 MiB of [", std::string(kMany, '[')},
      {"4 MiB of {\"a\":", repeated("{\"a\":", kMany / 5)},
      {"65 levels", "{\"a\":" + std::string(64, '[') + std::string(64, ']') + "}"},
      {"4 MiB of NUL", std::string(kMany, '\0')},
      {"4 MiB of quotes", std::string(kMany, '"')},
      {"2,000,000 values and more", "{\"a\":[0" + repeated(",0", 2'000'000) + "]}"},
  };
}

// Values that are of no type a member here may have: neither a natural number nor a string, an array or an object.
inline std::vector<std::string> hostile_numbers() {
  return {"-1",
          "-0",
          "1.5",
          "1e3",
          "12.0",
          "9223372036854775808",
          "18446744073709551615",
          "18446744073709551616",
          "1e99",
          "-9223372036854775809",
          "\"4096\"",
          "true",
          "[]",
          "{}",
          "\"\"",
          repeated("9", 400)};
}

}  // namespace regfs::registry
