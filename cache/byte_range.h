// SPDX-License-Identifier: MIT
// A stretch of bytes of a blob or a file.
#pragma once

#include <cstdint>

namespace regfs::cache {

struct ByteRange {
  uint64_t offset = 0;
  uint64_t length = 0;
  uint64_t end() const { return offset + length; }
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

inline bool overlap(const ByteRange& one, const ByteRange& other) {
  return one.offset < other.end() && other.offset < one.end();
}

}  // namespace regfs::cache
