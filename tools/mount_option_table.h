// SPDX-License-Identifier: MIT
// The options of the program regfs, and the words that mount(8) brings along. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "tools/option_table.h"

namespace regfs {

// Its rows are applied to MountOptions.
const OptionTable& mount_option_table();

// What mount(8), mount.fuse3(8) and systemd add or leave in an option list and means nothing here:
// rw, dev, noauto, _netdev, x-…, comment=… `name` has '-' for '_'.
bool is_ignored_mount_option(std::string_view name);

std::string help_text();     // one screen: at most 40 lines of 80 columns
std::string version_text();  // "regfs 0.1.0", then the library that decides most about a mount

}  // namespace regfs
