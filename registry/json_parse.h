// SPDX-License-Identifier: MIT
// JSON from the wire as a plain tree. Internal to this folder: only the .cc files that read documents
// include it, and only json_parse.cc knows the JSON library.
//
// Stricter than a general parser, because two readers of one document must see the same thing: a key
// that stands twice in an object is an error, so is a NUL byte, and so is anything behind the value. Depth
// and number of values are bounded while parsing, so that neither the stack nor the heap depends on
// the sender. Numbers are natural numbers or "some other number"; nothing here needs more.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace regfs::registry {

class Json {
 public:
  struct Member;
  using Array = std::vector<Json>;
  using Object = std::vector<Member>;  // sorted by key; keys are unique
  struct OtherNumber {};               // negative, fractional, with an exponent, or 2^64 and more
  using Value = std::variant<std::nullptr_t, bool, uint64_t, OtherNumber, std::string, Array, Object>;

  // Moves, never copies.
  Json();  // null
  explicit Json(Value value);
  Json(Json&&) noexcept;
  Json& operator=(Json&&) noexcept;
  ~Json();

  // nullptr when it is of another type.
  const std::string* string() const { return std::get_if<std::string>(&value_); }
  const uint64_t* natural() const { return std::get_if<uint64_t>(&value_); }
  const Array* array() const { return std::get_if<Array>(&value_); }
  const Object* object() const { return std::get_if<Object>(&value_); }

  // A member by its exact key; nullptr when there is none, when it is null (writers in Go say null for
  // an empty list), or when this is no object.
  const Json* find(std::string_view key) const;
  // Whether the key is there at all, null or not.
  bool names(std::string_view key) const;

  // "a string", "an array", …: for sentences.
  const char* kind() const;

 private:
  const Member* lookup(std::string_view key) const;

  Value value_;
};

struct Json::Member {
  std::string key;
  Json value;
};

// 500,000 values: 40 for each of the most entries an index may have, with room; 20 MB as a tree.
inline constexpr size_t kMaxJsonValues = 500'000;

// `body` is one JSON value in UTF-8, at most kMaxJsonDepth (manifest.h) deep and of at most `max_values`
// values, each array, object and scalar counted. Otherwise Errc::malformed, or too_large for the
// number of values; the sentence begins "not JSON", or says which bound or key it was. It shows no
// more of the body than a repeated key and one leading '<'.
Result<Json> parse_json(std::string_view body, size_t max_values = kMaxJsonValues);

}  // namespace regfs::registry
