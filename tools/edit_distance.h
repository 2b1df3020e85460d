// SPDX-License-Identifier: MIT
// How alike two words are, to guess what a mistyped one was meant to be. Pure; any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace regfs {

// Levenshtein's distance: letters to insert, drop or change.
size_t edit_distance(std::string_view from, std::string_view to);

}  // namespace regfs
