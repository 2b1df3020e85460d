// SPDX-License-Identifier: MIT
#include <cstdio>

#include "tools/exit_code.h"
#include "tools/process.h"
#include "tools/pull.h"
#include "tools/pull_screen.h"

namespace {

int fail(const regfs::Error& error) {
  std::fprintf(stderr, "regfs-pull: %s\n", regfs::escape_controls(error.context()).c_str());
  return regfs::kUsage;
}

}  // namespace

int main(int argc, char** argv) {
  regfs::open_standard_descriptors();
  regfs::Result<regfs::ParsedPull> command = regfs::parse_pull_command_line(argc, argv, regfs::environment());
  if (!command) return fail(command.error());
  if (const auto* help = std::get_if<regfs::ShowHelp>(&*command)) {
    std::fputs(help->text.c_str(), stdout);
    return 0;
  }
  if (const auto* version = std::get_if<regfs::ShowVersion>(&*command)) {
    std::fputs(version->text.c_str(), stdout);
    return 0;
  }
  auto& options = std::get<regfs::PullOptions>(*command);
  regfs::Result<bool> shown = regfs::settle(options, options.login_host(), argc, argv);
  if (!shown) return fail(shown.error());
  if (*shown) {
    regfs::standard_error_view(options.progress, options.quiet)
        ->message("regfs-pull: --password was visible to other users until now; --password-stdin is not");
  }
  return regfs::run_pull(options);
}
