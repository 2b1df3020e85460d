// SPDX-License-Identifier: MIT
#include "registry/http.h"

#include "registry/text.h"

namespace regfs::registry {

std::optional<std::string> Headers::first(std::string_view name) const {
  for (const auto& [field, value] : fields_) {
    if (equal_ignoring_case(field, name)) return value;
  }
  return std::nullopt;
}

std::vector<std::string> Headers::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [field, value] : fields_) {
    if (equal_ignoring_case(field, name)) values.push_back(value);
  }
  return values;
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [name](const auto& field) { return equal_ignoring_case(field.first, name); });
}

}  // namespace regfs::registry
