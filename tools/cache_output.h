// SPDX-License-Identifier: MIT
// How regfs-cache tells what came of it. Each returns the exit code of the program.
#pragma once

#include <string_view>

#include "base/error.h"

namespace regfs {

// One sentence on standard error.
int cache_failure(const Error& error);

// On standard output. A report that did not arrive is no success.
int print_report(std::string_view text);

}  // namespace regfs
