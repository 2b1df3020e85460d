// SPDX-License-Identifier: MIT
// What reads bytes of others, as functions that a fuzzer or a test may call with any bytes: each returns, or
// ends the program where something is wrong.
#pragma once

#include <span>
#include <string_view>

namespace regfs::fuzz {

struct Target {
  std::string_view name;  // of its corpus: tests/fuzz/corpus/NAME/
  void (*run)(std::string_view bytes);
};

std::span<const Target> targets();

}  // namespace regfs::fuzz
