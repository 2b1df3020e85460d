// SPDX-License-Identifier: MIT
// The program regfs-cache: one command on one cache directory.
#pragma once

#include "tools/cache_options.h"

namespace regfs {

// Prints its report to standard output, what is wrong to standard error. Returns the exit code of the program
// (tools/exit_code.h).
int run_cache(const CacheOptions& options);

}  // namespace regfs
