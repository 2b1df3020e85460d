// SPDX-License-Identifier: MIT
// The value of -o, taken apart as mount(8) and libfuse do: "name=value,switch,…", where a backslash
// makes the next character an ordinary one ("\," is a comma inside a value). Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace regfs {

struct MountOption {
  std::string name;                  // '_' as '-': both spellings name the same option
  std::optional<std::string> value;  // what follows the first '='; "name=" has an empty one

  friend bool operator==(const MountOption&, const MountOption&) = default;
};

// In the order given; empty items (",,") are skipped.
std::vector<MountOption> parse_mount_option_list(std::string_view list);

}  // namespace regfs
