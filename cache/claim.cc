// SPDX-License-Identifier: MIT
#include <algorithm>

#include "cache/blob.h"

namespace regfs::cache {

Result<void> Claim::write(uint64_t offset, std::span<const std::byte> bytes) {
  uint64_t begin = std::max(offset, range_.offset);
  uint64_t end = std::min(offset + bytes.size(), range_.end());
  if (begin >= end) return {};
  return blob_->write(begin, bytes.subspan(begin - offset, end - begin));
}

}  // namespace regfs::cache
