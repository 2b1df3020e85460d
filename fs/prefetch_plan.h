// SPDX-License-Identifier: MIT
// In which order the layers of an image are prefetched, and in what pieces. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "cache/blob.h"

namespace regfs::fs {

// A layer up to this size comes in one transfer: splitting it costs requests and saves little.
inline constexpr uint64_t kWholeLayerBytes = 16ull << 20;
// Of a larger one each slot gets its share, within these bounds: less is lost in the pause between two requests on
// one connection, more keeps a slot busy for long. Measured beside fixed sizes of 1 to 32 MiB (tests/bench/README.md):
// the share is the fastest on a slow link, and between 4 and 16 MiB size makes little difference on a fast one.
inline constexpr uint64_t kSmallestPartBytes = 4ull << 20;
inline constexpr uint64_t kLargestPartBytes = 16ull << 20;
inline constexpr uint64_t kPartGridBytes = 256ull << 10;

struct LayerSpan {
  size_t layer;
  cache::ByteRange range;  // not empty

  friend bool operator==(const LayerSpan&, const LayerSpan&) = default;
};

// All bytes of all layers, from where a reader stands forward, then what lies before. Or `at_most` bytes of what lies
// ahead, and nothing of what lies before.
std::vector<LayerSpan> prefetch_order(const std::vector<uint64_t>& layer_bytes, size_t layer, uint64_t offset,
                                      std::optional<uint64_t> at_most = std::nullopt);

// How much of a gap one transfer takes, where `slots` may run: never so much less that a crumb is left for another.
uint64_t transfer_bytes(uint64_t gap_bytes, uint64_t layer_bytes, size_t slots);

}  // namespace regfs::fs
