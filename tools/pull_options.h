// SPDX-License-Identifier: MIT
// The words of regfs-pull's command line as values. Pure: reads no environment, touches no file.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "registry/platform.h"
#include "registry/reference.h"
#include "tools/option_table.h"
#include "tools/options.h"
#include "tools/progress_view.h"

namespace regfs {

struct PullOptions : SharedOptions {
  PullOptions() { log_level = LogLevel::warning; }

  std::vector<registry::Reference> images;     // at least one
  std::optional<registry::Platform> platform;  // normalised; none: this machine's
  std::string output;                          // a path, "-" for standard output; empty: named after the image
  bool dry_run = false;
  bool quiet = false;
  ProgressStyle progress = ProgressStyle::automatic;

  // The one registry of all images, which a name and a password are for; none when there are several.
  std::optional<std::string> login_host() const;
};

const OptionTable& pull_option_table();
std::string pull_help_text();

using ParsedPull = std::variant<ShowHelp, ShowVersion, PullOptions>;

// Every error is Errc::invalid_argument with a sentence that names the word and what is allowed.
Result<ParsedPull> parse_pull_command_line(int argc, const char* const* argv, const Environment& environment);

}  // namespace regfs
