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

// Empty when they have no byte in common.
inline ByteRange common_part(const ByteRange& one, const ByteRange& other) {
  const uint64_t begin = one.offset > other.offset ? one.offset : other.offset;
  const uint64_t end = one.end() < other.end() ? one.end() : other.end();
  return {begin, begin < end ? end - begin : 0};
}

}  // namespace regfs::cache
