// SPDX-License-Identifier: MIT
#include "registry/content_range.h"

#include <charconv>

namespace regfs::registry {
namespace {

// A number that ends where `end` stands; both are taken off the text.
std::optional<uint64_t> take_number(std::string_view& text, std::string_view end) {
  uint64_t number = 0;
  const char* begin = text.data();
  auto [stop, failure] = std::from_chars(begin, begin + text.size(), number);
  if (failure != std::errc() || stop == begin) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(stop - begin));
  if (end.empty() ? !text.empty() : !text.starts_with(end)) return std::nullopt;
  text.remove_prefix(end.size());
  return number;
}

}  // namespace

std::optional<ContentRange> parse_content_range(std::string_view value) {
  constexpr std::string_view kUnit = "bytes ";
  if (!value.starts_with(kUnit)) return std::nullopt;
  value.remove_prefix(kUnit.size());
  std::optional<uint64_t> first = take_number(value, "-");
  std::optional<uint64_t> last = first ? take_number(value, "/") : std::nullopt;
  if (!last || *last < *first) return std::nullopt;
  ContentRange range{*first, *last, std::nullopt};
  if (value != "*") {
    range.size_bytes = take_number(value, "");
    if (!range.size_bytes || *range.size_bytes <= *last) return std::nullopt;
  }
  return range;
}

}  // namespace regfs::registry
