// SPDX-License-Identifier: MIT
#include <cstdio>

#include "base/log.h"
#include "tools/cache_tool.h"
#include "tools/exit_code.h"
#include "tools/process.h"

int main(int argc, char** argv) {
  regfs::open_standard_descriptors();
  regfs::Result<regfs::ParsedCacheCommand> command = regfs::parse_cache_command_line(argc, argv, regfs::environment());
  if (!command) {
    std::fprintf(stderr, "regfs-cache: %s\n", regfs::escape_controls(command.error().context()).c_str());
    return regfs::kUsage;
  }
  if (const auto* help = std::get_if<regfs::ShowHelp>(&*command)) {
    std::fputs(help->text.c_str(), stdout);
    return 0;
  }
  if (const auto* version = std::get_if<regfs::ShowVersion>(&*command)) {
    std::fputs(version->text.c_str(), stdout);
    return 0;
  }
  return regfs::run_cache(std::get<regfs::CacheOptions>(*command));
}
