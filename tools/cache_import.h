// SPDX-License-Identifier: MIT
// "regfs-cache import": the blobs of an archive into the cache, each as if a mount had fetched it: written to a part
// file, verified, published. All of it is hashed beforehand, so nothing of an archive with a wrong blob is filed.
#pragma once

#include "base/clock.h"
#include "tools/cache_options.h"

namespace regfs {

// The exit code of the program.
int import_into_cache(const CacheOptions& options, const Clock& clock);

}  // namespace regfs
