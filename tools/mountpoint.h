// SPDX-License-Identifier: MIT
// Whether a directory can be mounted on, said in one sentence before anything is started.
#pragma once

#include <string>
#include <string_view>

#include "base/log.h"
#include "base/result.h"

namespace regfs {

// The absolute path of a mountpoint that can be mounted on. A dead regfs mount there ("Transport endpoint is
// not connected") is cleared, with one line in the log; any live mount is refused, so is what is no directory, what the
// user may not mount on, and a machine without /dev/fuse or, for an ordinary user, fusermount3. Errors are
// Errc::invalid_argument or the system's, and say what to do.
Result<std::string> prepare_mountpoint(const std::string& mountpoint, Log& log);

// Takes the mount at `path` away, at once and however busy it is; what is open stays open. True on success.
bool detach_mount(const std::string& path);

// Refuses a path of ours inside the mountpoint: the mount would hide it, and wait for itself. Both absolute; the path
// need not exist. `what` ("the cache directory") and `option` ("--cache-dir") are for the sentence.
Result<void> check_outside(const std::string& path, const std::string& mountpoint, std::string_view what,
                           std::string_view option);

}  // namespace regfs
