// SPDX-License-Identifier: MIT
#include <cstdio>

#include "tools/mount.h"
#include "tools/options.h"
#include "tools/process.h"

int main(int argc, char** argv) {
  regfs::open_standard_descriptors();
  regfs::Result<regfs::ParsedCommand> command = regfs::parse_command_line(argc, argv, regfs::environment());
  if (!command) {
    std::fprintf(stderr, "regfs: %s\n", command.error().context().c_str());
    return regfs::kUsageExitCode;
  }
  if (const auto* help = std::get_if<regfs::ShowHelp>(&*command)) {
    std::fputs(help->text.c_str(), stdout);
    return 0;
  }
  if (const auto* version = std::get_if<regfs::ShowVersion>(&*command)) {
    std::fputs(version->text.c_str(), stdout);
    return 0;
  }
  auto& options = std::get<regfs::MountOptions>(*command);
  regfs::Result<bool> shown = regfs::settle(options, options.host, argc, argv);
  if (!shown) {
    std::fprintf(stderr, "regfs: %s\n", shown.error().context().c_str());
    return regfs::kUsageExitCode;
  }
  if (*shown) {
    std::fputs("regfs: --password was visible to other users until now; --password-stdin is not\n", stderr);
  }
  return regfs::run_mount(options);
}
