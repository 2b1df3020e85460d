// SPDX-License-Identifier: MIT
#include "tools/options.h"

#include <algorithm>
#include <vector>

#include "registry/reference.h"
#include "tools/command_line.h"
#include "tools/mount_option_list.h"
#include "tools/mount_option_table.h"
#include "tools/option_value.h"

namespace regfs {
namespace {

Result<void> apply_mount_option(const MountOption& option, bool sloppy, MountOptions& options) {
  const OptionRow* row = mount_option_table().find(option.name);
  if (row == nullptr || row->apply == nullptr) {
    if (sloppy || is_ignored_mount_option(option.name)) return {};
    return unknown_option(mount_option_table(), "mount option", option.name, option.name);
  }
  const std::string shown = "-o " + option.name;
  if (row->value.empty() && option.value) return usage_error(shown + " takes no value");
  if (!row->value.empty() && !option.value) {
    return usage_error(shown + " needs a value: " + shown + "=" + std::string(row->value));
  }
  return apply_option(*row, option.value.value_or(""), shown, options);
}

Result<void> apply_mount_option_list(std::string_view list, bool sloppy, MountOptions& options) {
  for (const MountOption& option : parse_mount_option_list(list)) {
    Result<void> outcome = apply_mount_option(option, sloppy, options);
    if (!outcome) return outcome;
  }
  return {};
}

// Files every option in `options`; a later one overrides an earlier one.
Result<void> apply_options(const CommandLine& line, MountOptions& options) {
  for (const auto& [row, value] : line.options()) {
    Result<void> outcome = row->letter == 'o'      ? apply_mount_option_list(value, line.given("-s"), options)
                           : row->apply == nullptr ? Result<void>()
                                                   : apply_option(*row, value, "--" + std::string(row->name), options);
    if (!outcome) return outcome;
  }
  return {};
}

// A mount source: a host, or a word that is none ("regfs", "none", nothing) for every registry.
// What looks like an attempt at a host is an error, lest a typing slip mount the wrong thing.
Result<std::optional<std::string>> parse_source(const std::string& source) {
  if (registry::is_registry_host(source)) return std::optional(registry::canonical_host(source));
  const bool is_word = std::all_of(source.begin(), source.end(), [](unsigned char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
           letter == '_' || letter == '-';
  });
  if (is_word) return std::optional<std::string>();
  return usage_error("'" + source +
                     "' is no registry; give HOST or HOST:PORT without a scheme or a path (ghcr.io, localhost:5000)");
}

Result<void> set_positionals(const std::vector<std::string>& words, MountOptions& options) {
  if (words.empty() || words.back().empty()) {
    return usage_error("the mountpoint is missing: regfs [HOST] MOUNTPOINT (see 'regfs --help')");
  }
  if (words.size() > 2) return usage_error("'" + words[2] + "' is one word too many: give [HOST] MOUNTPOINT");
  options.mountpoint = words.back();
  if (words.size() == 1) return {};
  Result<std::optional<std::string>> host = parse_source(words.front());
  if (!host) return host.error();
  options.host = *host;
  return {};
}

}  // namespace

Result<ParsedCommand> parse_command_line(int argc, const char* const* argv, const Environment& environment) {
  // mount(8): -s tolerates sloppy options; -n, no mtab, and -v, verbose, have nothing to do here.
  CommandLine line(mount_option_table(), {"-s", "-n", "-v"});
  Result<void> read = line.read(argc, argv);
  if (!read) return read.error();
  if (line.given("--help")) return ParsedCommand(ShowHelp{help_text()});
  if (line.given("--version")) return ParsedCommand(ShowVersion{version_text()});

  MountOptions options;
  Result<std::vector<std::string>> words = line.words();
  if (!words) return words.error();
  Result<void> applied = apply_options(line, options);
  if (!applied) return applied.error();
  if (options.offline && options.no_cache) {
    return usage_error("--offline shows what the cache holds, and --no-cache has none: give one of them");
  }
  Result<void> placed = set_positionals(*words, options);
  if (!placed) return placed.error();
  Result<void> settled = settle_cache_dir(options, environment);
  if (!settled) return settled.error();
  return ParsedCommand(std::move(options));
}

}  // namespace regfs
