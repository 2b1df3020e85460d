// SPDX-License-Identifier: MIT
#include "tools/cache_tool.h"
#include "tools/exit_code.h"
#include "tools/process.h"
#include "tools/program.h"

int main(int argc, char** argv) {
  regfs::open_standard_descriptors();
  regfs::Result<regfs::ParsedCacheCommand> command = regfs::parse_cache_command_line(argc, argv, regfs::environment());
  if (const auto code = regfs::ended_by_words("regfs-cache", command, regfs::kUsage)) return *code;
  return regfs::run_cache(std::get<regfs::CacheOptions>(*command));
}
