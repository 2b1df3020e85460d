// SPDX-License-Identifier: MIT
#include "fs/prefetch_plan.h"

#include <algorithm>

namespace regfs::fs {

std::vector<LayerSpan> prefetch_order(const std::vector<uint64_t>& layer_bytes, size_t layer, uint64_t offset,
                                      std::optional<uint64_t> at_most) {
  std::vector<LayerSpan> order;
  if (layer >= layer_bytes.size()) return order;
  order.reserve(layer_bytes.size() + 1);
  uint64_t left = at_most.value_or(UINT64_MAX);
  const auto add = [&](size_t number, uint64_t begin, uint64_t end) {
    const uint64_t length = std::min(end - begin, left);
    if (length > 0) order.push_back({number, {begin, length}});
    left -= length;
  };
  const uint64_t position = std::min(offset, layer_bytes[layer]);
  add(layer, position, layer_bytes[layer]);
  for (size_t next = layer + 1; next < layer_bytes.size(); ++next) add(next, 0, layer_bytes[next]);
  if (at_most) return order;
  for (size_t before = 0; before < layer; ++before) add(before, 0, layer_bytes[before]);
  add(layer, 0, position);
  return order;
}

uint64_t transfer_bytes(uint64_t gap_bytes, uint64_t layer_bytes, size_t slots) {
  if (layer_bytes <= kWholeLayerBytes) return gap_bytes;
  const uint64_t share = layer_bytes / slots + 1;
  const uint64_t grid = (share + kPartGridBytes - 1) / kPartGridBytes * kPartGridBytes;
  const uint64_t part = std::clamp(grid, kSmallestPartBytes, kLargestPartBytes);
  return gap_bytes <= part + part / 2 ? gap_bytes : part;
}

}  // namespace regfs::fs
