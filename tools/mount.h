// SPDX-License-Identifier: MIT
// The program regfs: builds the objects in order, serves until it is told to end, tears down in reverse.
#pragma once

#include "base/result.h"
#include "tools/options.h"

namespace regfs {

// Mounts and serves. Returns the exit code of the program: 0 after an orderly end, also by SIGTERM,
// SIGINT or SIGHUP; kMountFailedExitCode when nothing was mounted, after one sentence on standard error.
int run_mount(const MountOptions& options);

inline constexpr int kMountFailedExitCode = 1;

}  // namespace regfs
