// SPDX-License-Identifier: MIT
// How much of a layer is asked for on behalf of one read that waits, while nobody reads in sequence.
//
// Windows of 256 KiB: a reader that only lists an archive touches each layer at its first bytes and at its
// last, with the kernel's readahead around both, and so costs two windows. Pure; any thread.
#pragma once

#include <cstdint>

#include "cache/blob.h"

namespace regfs::fs {

inline constexpr uint64_t kDemandWindowBytes = 256ull << 10;

// What to ask for so that [offset, offset + length), inside the layer and not empty, arrives: one window, or as many in
// a row as its length needs. It starts on the grid of windows where that suffices, else it ends where the demand ends;
// near the end of the layer it ends with the layer. A layer that is withheld whole is asked for whole.
cache::ByteRange demand_window(uint64_t offset, uint64_t length, uint64_t layer_bytes);

}  // namespace regfs::fs
