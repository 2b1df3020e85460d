// SPDX-License-Identifier: MIT
// Claims what one transfer should bring. Whoever calls is the only one who claims of that Blob: the
// choice looks first and claims then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "cache/blob.h"

namespace regfs::fs {

// The first gap of `within`, or as much of it as one transfer takes where `slots` may run.
std::optional<cache::Claim> claim_gap(cache::Blob& blob, const cache::ByteRange& within, size_t slots);

// The gap with the first byte of `need` that nobody brings yet, for readers that wait for `asked`: a window
// around it, or, when the image is read in sequence, from there as far as one transfer goes.
std::optional<cache::Claim> claim_demanded(cache::Blob& blob, const cache::ByteRange& asked,
                                           const cache::ByteRange& need, bool in_sequence, size_t slots);

}  // namespace regfs::fs
