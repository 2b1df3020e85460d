// SPDX-License-Identifier: MIT
// The words of the command line as values.
//
// Two grammars meet in one argv: GNU long options, and mount(8)'s "-o name=value,…", which may follow
// the positionals and be repeated. Each option is one row of mount_option_table(), which the parser,
// --help and the test of the manual read. Of two values for one option the later one holds.
// Pure: reads no environment, touches no file. Any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>

#include "base/result.h"
#include "tools/shared_options.h"

namespace regfs {

struct MountOptions : SharedOptions {
  std::optional<std::string> host;  // canonical; none: every registry
  std::string mountpoint;           // as given: relative to the working directory, or /dev/fd/N from mount.fuse3
  bool foreground = false;
  bool verify_before = false;  // no byte of a layer is read before all of it has been verified
  std::chrono::milliseconds tag_ttl{60'000};
  std::chrono::milliseconds lookup_timeout{10'000};
  std::chrono::milliseconds list_timeout{60'000};
  std::string log_file;  // empty: standard error in the foreground, syslog otherwise
  bool allow_other = false;
  bool default_permissions = false;
};

struct ShowHelp {
  std::string text;
};

struct ShowVersion {
  std::string text;
};

using ParsedCommand = std::variant<ShowHelp, ShowVersion, MountOptions>;

// Every error is Errc::invalid_argument with a sentence naming the option, the value and what is
// allowed; the program then exits with kUsageExitCode.
Result<ParsedCommand> parse_command_line(int argc, const char* const* argv, const Environment& environment);

inline constexpr int kUsageExitCode = 2;

}  // namespace regfs
