// SPDX-License-Identifier: MIT
#include <cstdio>

#include "tools/mount.h"
#include "tools/process.h"
#include "tools/program.h"

int main(int argc, char** argv) {
  regfs::open_standard_descriptors();
  regfs::Result<regfs::ParsedCommand> command = regfs::parse_command_line(argc, argv, regfs::environment());
  if (const auto code = regfs::ended_by_words("regfs", command, regfs::kUsageExitCode)) return *code;
  auto& options = std::get<regfs::MountOptions>(*command);
  regfs::Result<bool> shown = regfs::settle(options, options.host, argc, argv);
  if (!shown) {
    regfs::tell_failure("regfs", shown.error());
    return regfs::kUsageExitCode;
  }
  if (*shown) {
    std::fputs("regfs: --password was visible to other users until now; --password-stdin is not\n", stderr);
  }
  return regfs::run_mount(options);
}
