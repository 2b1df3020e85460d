// SPDX-License-Identifier: MIT
#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace regfs {

void check_failed(const char* file, int line, const char* sentence) noexcept {
  std::fprintf(stderr, "regfs: broken invariant at %s:%d: %s\n", file, line, sentence);
  std::abort();
}

}  // namespace regfs
