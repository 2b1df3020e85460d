// SPDX-License-Identifier: MIT
// How each main() of ours begins.
#pragma once

#include <cstdio>
#include <optional>
#include <variant>

#include "base/log.h"
#include "base/result.h"
#include "tools/options.h"

namespace regfs {

// One sentence on standard error.
inline void tell_failure(const char* program, const Error& error) {
  std::fprintf(stderr, "%s: %s\n", program, escape_controls(error.context()).c_str());
}

// With what exit code a program ends whose words are wrong (`usage`), or that was asked for its help or its version;
// nullopt: there is work to do. `Parsed` is a variant of ShowHelp, ShowVersion and the program's options.
template <typename Parsed>
std::optional<int> ended_by_words(const char* program, const Result<Parsed>& command, int usage) {
  if (!command) {
    tell_failure(program, command.error());
    return usage;
  }
  if (const auto* help = std::get_if<ShowHelp>(&*command)) {
    std::fputs(help->text.c_str(), stdout);
    return 0;
  }
  if (const auto* version = std::get_if<ShowVersion>(&*command)) {
    std::fputs(version->text.c_str(), stdout);
    return 0;
  }
  return std::nullopt;
}

}  // namespace regfs
