// SPDX-License-Identifier: MIT
// A broken invariant is a crash with a sentence, not an errno.
#pragma once

namespace regfs {

[[noreturn]] void check_failed(const char* file, int line, const char* sentence) noexcept;

}  // namespace regfs

#define REGFS_CHECK(condition, sentence) \
  (static_cast<bool>(condition) ? static_cast<void>(0) : ::regfs::check_failed(__FILE__, __LINE__, sentence))
