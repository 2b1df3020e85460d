// SPDX-License-Identifier: MIT
// The bytes that a TarLayout describes, put together from blobs small enough to hold.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "fs/tar_layout.h"

namespace regfs::test {

inline std::string archive_bytes(const fs::TarLayout& layout, const std::vector<std::string>& blobs,
                                 uint64_t offset = 0, uint64_t length = std::numeric_limits<uint64_t>::max()) {
  std::string bytes;
  for (const fs::Slice& slice : layout.slices(offset, length)) {
    if (slice.blob) {
      bytes += blobs.at(slice.blob->blob).substr(slice.blob->offset, slice.blob->length);
    } else {
      bytes += slice.bytes;
    }
  }
  return bytes;
}

}  // namespace regfs::test
