// SPDX-License-Identifier: MIT
// The program regfs-pull: images into files, one after the other.
#pragma once

#include "tools/pull_options.h"

namespace regfs {

// `options` are settled: credentials too. Returns the exit code of the program (tools/exit_code.h): 0 when every image
// is there, else that of the first that is not; the others are pulled all the same.
int run_pull(const PullOptions& options);

}  // namespace regfs
