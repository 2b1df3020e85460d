// SPDX-License-Identifier: MIT
#include <algorithm>

#include "base/check.h"
#include "cache/blob.h"

namespace regfs::cache {

Result<void> Claim::write(uint64_t offset, std::span<const std::byte> bytes) {
  uint64_t begin = std::max(offset, range_.offset);
  uint64_t end = std::min(offset + bytes.size(), range_.end());
  if (begin >= end) return {};
  return blob_->write(begin, bytes.subspan(begin - offset, end - begin));
}

void Claim::shorten(uint64_t end) {
  REGFS_CHECK(end >= range_.offset && end <= range_.end(), "a claim cannot be shortened to what it does not hold");
  const ByteRange rest{end, range_.end() - end};
  range_.length -= rest.length;
  blob_->release(rest);
}

}  // namespace regfs::cache
