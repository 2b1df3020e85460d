// SPDX-License-Identifier: MIT
// What libFuzzer calls, for the target that the build names.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto all = regfs::fuzz::targets();
  static const auto target = std::find_if(
      all.begin(), all.end(), [](const regfs::fuzz::Target& each) { return each.name == REGFS_FUZZ_TARGET; });
  target->run({reinterpret_cast<const char*>(data), size});
  return 0;
}
