// SPDX-License-Identifier: MIT
// "regfs-cache verify": every byte of every published blob is hashed. What is wrong is named at once, on standard
// error.
#pragma once

#include "base/clock.h"
#include "cache/inventory.h"
#include "tools/cache_options.h"

namespace regfs {

// The exit code: kBadData while something wrong is left, kDiskFailure when something could not be checked.
int verify_cache(const CacheOptions& options, cache::Inventory& inventory, const Clock& clock);

}  // namespace regfs
