// SPDX-License-Identifier: MIT
// How long a command takes, for the benchmarks.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/support/child_process.h"

namespace regfs::test {

inline constexpr std::chrono::minutes kPatience{5};

// Ends the benchmark when the command fails.
inline double seconds_of(const std::vector<std::string>& command) {
  const auto begin = std::chrono::steady_clock::now();
  ChildProcess process(command, {});
  const auto status = process.wait(kPatience);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (status == 0) return seconds;
  std::fprintf(stderr, "%s failed\n", command.front().c_str());
  std::exit(1);
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace regfs::test
