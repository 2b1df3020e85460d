// SPDX-License-Identifier: MIT
// The Content-Range of a 206, which says which bytes really come. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace regfs::registry {

struct ContentRange {
  uint64_t first = 0;
  uint64_t last = 0;                   // inclusive, as the header has it
  std::optional<uint64_t> size_bytes;  // of the whole; absent for '*'
};

// "bytes 0-99/1234" or "bytes 0-99/*". nullopt for anything else, also for a last before the first or beyond
// the whole.
std::optional<ContentRange> parse_content_range(std::string_view value);

}  // namespace regfs::registry
