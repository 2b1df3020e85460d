// SPDX-License-Identifier: MIT
#include "fs/demand_window.h"

#include <algorithm>

namespace regfs::fs {

cache::ByteRange demand_window(uint64_t offset, uint64_t length, uint64_t layer_bytes) {
  if (layer_bytes <= cache::kWithheldWholeBytes) return {0, layer_bytes};
  const uint64_t end = offset + length;
  const uint64_t windows = (length + kDemandWindowBytes - 1) / kDemandWindowBytes;
  const uint64_t size = std::min(windows * kDemandWindowBytes, layer_bytes);
  uint64_t start = offset / kDemandWindowBytes * kDemandWindowBytes;
  if (start + size < end) start = end - size;
  return {std::min(start, layer_bytes - size), size};
}

}  // namespace regfs::fs
