// SPDX-License-Identifier: MIT
#include "fs/claim_gap.h"

#include <algorithm>

#include "fs/demand_window.h"
#include "fs/prefetch_plan.h"

namespace regfs::fs {
namespace {

std::optional<cache::ByteRange> first_gap(cache::Blob& blob, const cache::ByteRange& within) {
  std::optional<cache::Claim> look = blob.claim(within.offset, within.length);
  if (!look) return std::nullopt;
  return look->range();
}

// The piece of the window's grid with this byte.
cache::ByteRange piece_around(uint64_t offset, const cache::ByteRange& window, uint64_t layer_bytes, size_t slots) {
  if (layer_bytes <= cache::kWithheldWholeBytes || offset < window.offset || offset >= window.end()) {
    return {offset, transfer_bytes(layer_bytes - offset, layer_bytes, slots)};
  }
  const uint64_t begin = window.offset + (offset - window.offset) / kDemandWindowBytes * kDemandWindowBytes;
  return {begin, std::min(kDemandWindowBytes, window.end() - begin)};
}

}  // namespace

std::optional<cache::Claim> claim_gap(cache::Blob& blob, const cache::ByteRange& within, size_t slots) {
  std::optional<cache::Claim> whole = blob.claim(within.offset, within.length);
  if (!whole) return whole;
  const cache::ByteRange gap = whole->range();
  const uint64_t length = transfer_bytes(gap.length, blob.size_bytes(), slots);
  if (length == gap.length) return whole;
  whole.reset();
  return blob.claim(gap.offset, length);
}

std::optional<cache::Claim> claim_demanded(cache::Blob& blob, const cache::ByteRange& asked,
                                           const cache::ByteRange& need, bool in_sequence, size_t slots) {
  const uint64_t layer_bytes = blob.size_bytes();
  if (need.length == layer_bytes) return claim_gap(blob, need, slots);
  const std::optional<cache::ByteRange> gap = first_gap(blob, need);
  if (!gap) return std::nullopt;

  const cache::ByteRange window = demand_window(asked.offset, asked.length, layer_bytes);
  cache::ByteRange wanted = piece_around(gap->offset, window, layer_bytes, slots);
  if (in_sequence) wanted.length = transfer_bytes(layer_bytes - wanted.offset, layer_bytes, slots);
  // A hole before what is waited for is of no use to anybody yet.
  const std::optional<cache::ByteRange> ahead = first_gap(blob, wanted);
  if (ahead && ahead->end() <= gap->offset) return blob.claim(gap->offset, wanted.end() - gap->offset);
  return blob.claim(wanted.offset, wanted.length);
}

}  // namespace regfs::fs
