// SPDX-License-Identifier: MIT
#include "fs/prefetch_plan.h"

#include <algorithm>

namespace regfs::fs {

std::vector<LayerSpan> prefetch_order(const std::vector<uint64_t>& layer_bytes, size_t layer, uint64_t offset) {
  std::vector<LayerSpan> order;
  if (layer >= layer_bytes.size()) return order;
  order.reserve(layer_bytes.size() + 1);
  const auto add = [&order](size_t number, uint64_t begin, uint64_t end) {
    if (begin < end) order.push_back({number, {begin, end - begin}});
  };
  const uint64_t position = std::min(offset, layer_bytes[layer]);
  add(layer, position, layer_bytes[layer]);
  for (size_t next = layer + 1; next < layer_bytes.size(); ++next) add(next, 0, layer_bytes[next]);
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
