// SPDX-License-Identifier: MIT
// A string that does not show itself: printing one gives "***". Only reveal() shows it, and the
// places that call it can be counted.
#pragma once

#include <ostream>
#include <string>
#include <utility>

namespace regfs {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}

  bool empty() const { return value_.empty(); }
  const std::string& reveal() const { return value_; }
  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  std::string value_;
};

inline std::ostream& operator<<(std::ostream& out, const Secret&) {
  return out << "***";
}

}  // namespace regfs
