// SPDX-License-Identifier: MIT
#include "tools/exit_code.h"
#include "tools/process.h"
#include "tools/program.h"
#include "tools/pull.h"
#include "tools/pull_screen.h"

int main(int argc, char** argv) {
  regfs::open_standard_descriptors();
  regfs::Result<regfs::ParsedPull> command = regfs::parse_pull_command_line(argc, argv, regfs::environment());
  if (const auto code = regfs::ended_by_words("regfs-pull", command, regfs::kUsage)) return *code;
  auto& options = std::get<regfs::PullOptions>(*command);
  regfs::Result<bool> shown = regfs::settle(options, options.login_host(), argc, argv);
  if (!shown) {
    regfs::tell_failure("regfs-pull", shown.error());
    return regfs::kUsage;
  }
  if (*shown) {
    regfs::standard_error_view(options.progress, options.quiet)
        ->message("regfs-pull: --password was visible to other users until now; --password-stdin is not");
  }
  return regfs::run_pull(options);
}
