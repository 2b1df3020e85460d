// SPDX-License-Identifier: MIT
// Result<T>: a value, or the Error that stands in its place. Ignoring one is a compile warning.
//
//   Result<Manifest> m = parse_manifest(body);
//   if (!m) return m.error().while_doing("reading the manifest of " + reference.str());
//   use(*m);
//
// The method names are those of std::expected, so that a later switch stays small.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/error.h"

namespace regfs {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(*-explicit-*)
  Result(Error error) : held_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(*-explicit-*)

  bool has_value() const { return held_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return checked(); }
  const T& value() const& { return const_cast<Result*>(this)->checked(); }
  T&& value() && { return std::move(checked()); }
  T& operator*() & { return checked(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(checked()); }
  T* operator->() { return &checked(); }
  const T* operator->() const { return &value(); }

  const Error& error() const {
    REGFS_CHECK(!has_value(), "error() of a Result that holds a value");
    return std::get<1>(held_);
  }

 private:
  T& checked() {
    REGFS_CHECK(has_value(), "value() of a Result that holds an error");
    return std::get<0>(held_);
  }
  std::variant<T, Error> held_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(*-explicit-*)

  bool has_value() const { return !error_; }
  explicit operator bool() const { return has_value(); }
  const Error& error() const {
    REGFS_CHECK(error_.has_value(), "error() of a Result that holds no error");
    return *error_;
  }
  // Takes it out, which needs no memory.
  Error take_error() && {
    REGFS_CHECK(error_.has_value(), "take_error() of a Result that holds no error");
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

}  // namespace regfs
