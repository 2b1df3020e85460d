// SPDX-License-Identifier: MIT
// The words of regfs-cache's command line as values. Pure: reads no environment, touches no file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/digest.h"
#include "base/result.h"
#include "tools/option_table.h"
#include "tools/options.h"

namespace regfs {

enum class CacheCommand { list, stats, path, verify, gc, import };

struct CacheOptions : SharedOptions {
  CacheOptions() { log_level = LogLevel::warning; }

  CacheCommand command = CacheCommand::list;
  std::optional<Digest> digest;  // of path
  std::string source;            // of import: the file or directory
  bool json = false;
  bool repair = false;               // of verify
  std::optional<uint64_t> to_bytes;  // of gc; none: nothing is to be left
};

const OptionTable& cache_option_table();
std::string cache_help_text();

using ParsedCacheCommand = std::variant<ShowHelp, ShowVersion, CacheOptions>;

// Every error is Errc::invalid_argument with a sentence that names the word and what is allowed.
Result<ParsedCacheCommand> parse_cache_command_line(int argc, const char* const* argv, const Environment& environment);

}  // namespace regfs
