// SPDX-License-Identifier: MIT
#include "tools/cache_options.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "tools/command_line.h"
#include "tools/option_setters.h"
#include "tools/option_value.h"

namespace regfs {
namespace {

constexpr std::string_view kSeeHelp = " (see 'regfs-cache --help')";

struct CommandRow {
  std::string_view word;
  CacheCommand command;
  std::string_view argument;  // empty: none; in brackets: may be missing
  std::string_view help;
};

constexpr CommandRow kCommands[] = {
    {"list", CacheCommand::list, "", "the images and blobs in the cache"},
    {"stats", CacheCommand::stats, "", "how many there are, how large, and of what use"},
    {"verify", CacheCommand::verify, "", "hash every blob, name those that are damaged"},
    {"gc", CacheCommand::gc, "", "remove debris, and what is over the budget"},
    {"import", CacheCommand::import, "FILE|DIR", "file the layers of an image archive or OCI layout"},
    {"path", CacheCommand::path, "[DIGEST]", "where the cache is, or the file of a blob"},
};

Result<const CommandRow*> command_of(const std::vector<std::string>& words) {
  std::string known;
  for (const CommandRow& row : kCommands) {
    if (!words.empty() && row.word == words.front()) return &row;
    known += (known.empty() ? "" : ", ") + std::string(row.word);
  }
  if (words.empty()) return usage_error("a command is missing: " + known + std::string(kSeeHelp));
  return usage_error("unknown command '" + words.front() + "'; give one of " + known + std::string(kSeeHelp));
}

// "sha256:HEX", or HEX alone as the cache names its files.
Result<Digest> parse_digest_word(const std::string& word) {
  Result<Digest> digest = Digest::parse(word.find(':') == std::string::npos ? "sha256:" + word : word);
  if (digest) return digest;
  return usage_error("'" + word + "' is no digest; give sha256: and 64 digits, as 'regfs-cache list' shows them");
}

Result<void> take_argument(const CommandRow& row, const std::vector<std::string>& words, CacheOptions& options) {
  const size_t most = row.argument.empty() ? 1 : 2;
  if (words.size() > most) {
    return usage_error("'" + words[most] + "' is one word too many: regfs-cache " + std::string(row.word) +
                       (row.argument.empty() ? "" : " " + std::string(row.argument)) + std::string(kSeeHelp));
  }
  if (row.command == CacheCommand::import) {
    if (words.size() < 2 || words[1].empty()) {
      return usage_error("what to import is missing: regfs-cache import FILE|DIR" + std::string(kSeeHelp));
    }
    options.source = words[1];
    return {};
  }
  if (words.size() < 2) return {};
  Result<Digest> digest = parse_digest_word(words[1]);
  if (!digest) return digest.error();
  options.digest = *digest;
  return {};
}

Result<void> set_to(std::string_view value, SharedOptions& options) {
  Result<uint64_t> size = parse_size(value, 0);
  if (!size) return size.error();
  option_field(&CacheOptions::to_bytes, options) = *size;
  return {};
}

Result<void> check(const CacheOptions& options) {
  if (options.repair && options.command != CacheCommand::verify) return usage_error("--repair is for verify");
  if (options.to_bytes && options.command != CacheCommand::gc) return usage_error("--to is for gc");
  return {};
}

}  // namespace

const OptionTable& cache_option_table() {
  static const OptionTable table(
      "regfs-cache", {
                         shared_option("cache-dir"),
                         {"repair", '\0', "", "verify: drop what is damaged", set_switch<&CacheOptions::repair>},
                         {"to", '\0', "SIZE", "gc: evict down to this much", set_to},
                         {"json", '\0', "", "print JSON", set_switch<&CacheOptions::json>},
                         shared_option("help"),
                         shared_option("version"),
                     });
  return table;
}

std::string cache_help_text() {
  constexpr size_t kHelpColumn = 18;
  std::string text =
      "Usage: regfs-cache [options] COMMAND\n"
      "Looks after the cache of regfs and regfs-pull, also while they use it.\n\n";
  for (const CommandRow& row : kCommands) {
    std::string line = "  " + std::string(row.word) + (row.argument.empty() ? "" : " ") + std::string(row.argument);
    line.resize(std::max(line.size() + 1, kHelpColumn), ' ');
    text += line + std::string(row.help) + "\n";
  }
  return text + "\n" + cache_option_table().help() + "More, with examples: man regfs-cache\n";
}

Result<ParsedCacheCommand> parse_cache_command_line(int argc, const char* const* argv, const Environment& environment) {
  CommandLine line(cache_option_table());
  Result<void> read = line.read(argc, argv);
  if (!read) return read.error();
  if (line.given("--help")) return ParsedCacheCommand(ShowHelp{cache_help_text()});
  if (line.given("--version")) return ParsedCacheCommand(ShowVersion{"regfs-cache " REGFS_VERSION "\n"});

  CacheOptions options;
  Result<void> applied = line.apply(options);
  if (!applied) return applied.error();
  Result<std::vector<std::string>> words = line.words();
  if (!words) return words.error();
  Result<const CommandRow*> command = command_of(*words);
  if (!command) return command.error();
  options.command = (*command)->command;
  Result<void> taken = take_argument(**command, *words, options);
  if (taken) taken = check(options);
  if (!taken) return taken.error();
  Result<void> settled = settle_cache_dir(options, environment);
  if (!settled) return settled.error();
  return ParsedCacheCommand(std::move(options));
}

}  // namespace regfs
