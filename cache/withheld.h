// SPDX-License-Identifier: MIT
// Which bytes of a blob nobody sees before its SHA-256 has matched. Pure; the numbers and the reason
// for them stand in cache/blob.h.
#pragma once

#include "cache/blob.h"

namespace regfs::cache {

// With Withhold::window all of a blob up to kWithheldWholeBytes, and of a larger one the kWithheldWindowBytes that end
// kAfterWithheldBytes before its end.
ByteRange withheld_window(uint64_t size_bytes, Withhold withhold = Withhold::window);

}  // namespace regfs::cache
