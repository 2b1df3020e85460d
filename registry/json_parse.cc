// SPDX-License-Identifier: MIT
#include "registry/json_parse.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "registry/manifest.h"
#include "registry/text.h"

namespace regfs::registry {
namespace {

using Library = nlohmann::json;

constexpr int kNumberOutOfRange = 406;  // the library's own number for it

// Builds the tree bottom up: one open container per level, hence at most kMaxJsonDepth of them.
// Every method returns whether to go on.
class Builder : public nlohmann::json_sax<Library> {
 public:
  Builder(size_t body_bytes, size_t max_values) : body_bytes_(body_bytes), max_values_(max_values) {}

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t) override { return add(Json::OtherNumber{}); }  // has a minus sign
  bool number_unsigned(number_unsigned_t value) override { return add(uint64_t{value}); }
  bool number_float(number_float_t, const string_t&) override { return add(Json::OtherNumber{}); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return fail("not JSON"); }

  bool start_object(size_t) override { return open(Json::Object{}); }
  bool start_array(size_t) override { return open(Json::Array{}); }
  bool key(string_t& name) override {
    open_.back().key = std::move(name);
    return true;
  }
  bool end_object() override {
    auto& members = std::get<Json::Object>(open_.back().container);
    auto by_key = [](const Json::Member& a, const Json::Member& b) { return a.key < b.key; };
    std::sort(members.begin(), members.end(), by_key);
    auto same_key = [](const Json::Member& a, const Json::Member& b) { return a.key == b.key; };
    auto twice = std::adjacent_find(members.begin(), members.end(), same_key);
    if (twice != members.end()) return fail("an object has the key " + in_quotes(twice->key) + " twice");
    return close();
  }
  bool end_array() override { return close(); }

  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& exception) override {
    if (exception.id == kNumberOutOfRange) return fail("not JSON: a number is out of every range");
    if (position > body_bytes_) return fail("not JSON: it ends early, after " + std::to_string(body_bytes_) + " bytes");
    return fail("not JSON: byte " + std::to_string(position) + " is not expected there");
  }

  Json take() { return std::move(root_); }
  Error error() const { return error_.value_or(Error{Errc::malformed, "not JSON"}); }

 private:
  struct Open {
    Json::Value container;
    std::string key;  // of the member that comes next, in an object
  };

  bool fail(std::string sentence, Errc code = Errc::malformed) {
    if (!error_) error_ = Error{code, std::move(sentence)};
    return false;
  }

  bool count() {
    if (++values_ <= max_values_) return true;
    return fail("more than " + std::to_string(max_values_) + " JSON values", Errc::too_large);
  }

  bool open(Json::Value container) {
    if (open_.size() == kMaxJsonDepth) {
      return fail("nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
    }
    open_.push_back({std::move(container), {}});
    return count();
  }

  bool close() {
    Json done(std::move(open_.back().container));
    open_.pop_back();
    place(std::move(done));
    return true;
  }

  bool add(Json::Value value) {
    place(Json(std::move(value)));
    return count();
  }

  void place(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (auto* array = std::get_if<Json::Array>(&open_.back().container)) {
      array->push_back(std::move(value));
    } else {
      std::get<Json::Object>(open_.back().container).push_back({std::move(open_.back().key), std::move(value)});
    }
  }

  const size_t body_bytes_;
  const size_t max_values_;
  size_t values_ = 0;
  std::vector<Open> open_;
  Json root_;
  std::optional<Error> error_;
};

// What the library would not refuse, or would only explain in its own words.
std::optional<Error> refuse_at_once(std::string_view body) {
  size_t start = body.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return Error{Errc::malformed, "not JSON: it is empty"};
  if (body[start] == '<') return Error{Errc::malformed, "not JSON but a web page or XML: it starts with '<'"};
  // The library takes a NUL for the end and would not look behind it.
  if (body.find('\0') != std::string_view::npos) return Error{Errc::malformed, "not JSON: it holds a NUL byte"};
  return std::nullopt;
}

}  // namespace

Json::Json() = default;
Json::Json(Value value) : value_(std::move(value)) {}
Json::Json(Json&&) noexcept = default;
Json& Json::operator=(Json&&) noexcept = default;
Json::~Json() = default;

const Json::Member* Json::lookup(std::string_view key) const {
  const Object* members = object();
  if (members == nullptr) return nullptr;
  auto less = [](const Member& member, std::string_view wanted) { return member.key < wanted; };
  auto found = std::lower_bound(members->begin(), members->end(), key, less);
  return found != members->end() && found->key == key ? &*found : nullptr;
}

const Json* Json::find(std::string_view key) const {
  const Member* member = lookup(key);
  if (member == nullptr || std::holds_alternative<std::nullptr_t>(member->value.value_)) return nullptr;
  return &member->value;
}

bool Json::names(std::string_view key) const {
  return lookup(key) != nullptr;
}

const char* Json::kind() const {
  static constexpr const char* kKinds[] = {"null",     "a boolean", "a number", "a negative or fractional number",
                                           "a string", "an array",  "an object"};
  static_assert(std::size(kKinds) == std::variant_size_v<Value>);
  return kKinds[value_.index()];
}

Result<Json> parse_json(std::string_view body, size_t max_values) {
  if (std::optional<Error> refused = refuse_at_once(body)) return *std::move(refused);
  try {
    Builder builder(body.size(), max_values);
    if (!Library::sax_parse(body.begin(), body.end(), &builder)) return builder.error();
    return builder.take();
  } catch (const std::bad_alloc&) {
    return Error::from_errno(ENOMEM, "reading JSON");
  } catch (const std::exception&) {
    return Error{Errc::malformed, "not JSON"};
  }
}

}  // namespace regfs::registry
