// SPDX-License-Identifier: MIT
#include "cache/withheld.h"

namespace regfs::cache {

static_assert(kWithheldWholeBytes >= kWithheldWindowBytes + kAfterWithheldBytes, "the window must fit");

ByteRange withheld_window(uint64_t size_bytes, Withhold withhold) {
  if (withhold == Withhold::all || size_bytes <= kWithheldWholeBytes) return {0, size_bytes};
  return {size_bytes - kAfterWithheldBytes - kWithheldWindowBytes, kWithheldWindowBytes};
}

}  // namespace regfs::cache
