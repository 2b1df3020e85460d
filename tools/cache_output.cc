// SPDX-License-Identifier: MIT
#include "tools/cache_output.h"

#include <cerrno>
#include <cstdio>

#include "base/log.h"
#include "tools/exit_code.h"

namespace regfs {

int cache_failure(const Error& error) {
  std::fprintf(stderr, "regfs-cache: %s\n", escape_controls(error.context()).c_str());
  return exit_code(error);
}

int print_report(std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (written && std::fflush(stdout) == 0) return 0;
  return cache_failure(Error::from_errno(errno, "cannot write to standard output"));
}

}  // namespace regfs
