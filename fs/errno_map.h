// SPDX-License-Identifier: MIT
// The one place that spells errno: what a reader of the mount is told of an Error. Pure; any thread.
#pragma once

#include "base/error.h"

namespace regfs::fs {

// A positive errno. One that came from the system survives as it is (ENOSPC, EMFILE …), but for ENOSYS,
// which becomes EIO: to the kernel it would mean that the operation need never be asked again. A code
// of an unknown kind is EIO.
int to_errno(const Error& error);

}  // namespace regfs::fs
