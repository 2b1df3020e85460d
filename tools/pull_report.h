// SPDX-License-Identifier: MIT
// The closing lines of a pull, for people. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "tools/progress_view.h"

namespace regfs {

// Five lines, each with its end:
//   layers 3 of 6 from the cache, 45.1 MiB saved
//   time   12.4 s, 67.2 MiB fetched at 5.4 MiB/s
//   file   nginx.tar, 112.3 MiB
//   digest sha256:…
//   load   docker load -i nginx.tar
std::string pull_report(const PullSummary& summary);

// Control characters as \xNN, but ends of lines as they are.
std::string escape_all_but_ends(std::string_view text);

}  // namespace regfs
