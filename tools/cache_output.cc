// SPDX-License-Identifier: MIT
#include "tools/cache_output.h"

#include <cerrno>
#include <cstdio>

#include "tools/exit_code.h"
#include "tools/program.h"

namespace regfs {

int cache_failure(const Error& error) {
  tell_failure("regfs-cache", error);
  return exit_code(error);
}

int print_report(std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (written && std::fflush(stdout) == 0) return 0;
  return cache_failure(Error::from_errno(errno, "cannot write to standard output"));
}

}  // namespace regfs
