// SPDX-License-Identifier: MIT
#include "tools/option_table.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "cache/room.h"
#include "registry/reference.h"
#include "tools/edit_distance.h"
#include "tools/option_setters.h"

namespace regfs {
namespace {

// As many connections as are kept to all registries together.
constexpr int kMostDownloads = 64;

Result<void> set_downloads(std::string_view value, SharedOptions& options) {
  Result<int> count = parse_count(value, 1, kMostDownloads);
  if (!count) return count.error();
  options.max_concurrent_downloads = *count;
  return {};
}

Result<void> set_cache_size(std::string_view value, SharedOptions& options) {
  Result<uint64_t> size = parse_size(value, cache::kLeastCacheBytes);
  if (!size) return size.error();
  options.cache_bytes = *size;
  return {};
}

Result<void> set_log_level(std::string_view value, SharedOptions& options) {
  Result<LogLevel> level = parse_log_level(value);
  if (!level) {
    return Error(Errc::invalid_argument,
                 "'" + std::string(value) + "' is no log level; give error, warning, info or debug");
  }
  options.log_level = *level;
  return {};
}

Result<void> add_insecure_registry(std::string_view value, SharedOptions& options) {
  if (!registry::is_registry_host(value)) {
    return Error(Errc::invalid_argument,
                 "'" + std::string(value) + "' is no registry; give HOST or HOST:PORT without a scheme or a path");
  }
  options.insecure_registries.insert(registry::canonical_host(value));
  return {};
}

Result<void> set_username(std::string_view value, SharedOptions& options) {
  if (value.empty()) return Error(Errc::invalid_argument, "a name is missing");
  options.credentials.username = value;
  return {};
}

Result<void> set_password(std::string_view value, SharedOptions& options) {
  if (value.empty()) return Error(Errc::invalid_argument, "a password is missing");
  options.credentials.password = Secret(std::string(value));
  return {};
}

Result<void> set_password_stdin(std::string_view, SharedOptions& options) {
  options.credentials.password_stdin = true;
  return {};
}

Result<void> set_authfile(std::string_view value, SharedOptions& options) {
  if (value.empty()) return Error(Errc::invalid_argument, "a path is missing");
  options.credentials.authfile = value;
  return {};
}

Result<void> set_ca_cert(std::string_view value, SharedOptions& options) {
  if (value.empty()) return Error(Errc::invalid_argument, "a path is missing");
  options.trust.ca_cert = value;
  return {};
}

constexpr std::array kShared{
    OptionRow{"cache-dir", '\0', "DIR", "where blobs are kept (~/.cache/regfs)", set_path<&SharedOptions::cache_dir>},
    OptionRow{"cache-size", '\0', "SIZE", "keep at most this much (20G)", set_cache_size},
    OptionRow{"no-cache", '\0', "", "neither use the cache nor keep anything", set_switch<&SharedOptions::no_cache>},
    OptionRow{"offline", '\0', "", "ask no registry, show what is cached", set_switch<&SharedOptions::offline>},
    OptionRow{"max-concurrent-downloads", '\0', "N", "requests at once for one image (16)", set_downloads},
    OptionRow{"insecure-registry", '\0', "HOST", "accept plain http and any certificate", add_insecure_registry},
    OptionRow{"username", '\0', "NAME", "who you are to HOST", set_username},
    OptionRow{"password", '\0', "PASSWORD", "and your password; others may see it", set_password},
    OptionRow{"password-stdin", '\0', "", "and your password is on standard input", set_password_stdin},
    OptionRow{"authfile", '\0', "FILE", "credentials, not what docker login left", set_authfile},
    OptionRow{"ca-cert", '\0', "FILE", "trust these authorities besides the system's", set_ca_cert},
    OptionRow{"connect-timeout", '\0', "TIME", "to connect (10s)",
              set_time<&SharedOptions::connect_timeout, kTimeoutRange>},
    OptionRow{"timeout", '\0', "TIME", "for the first byte, and for a stall (30s)",
              set_time<&SharedOptions::timeout, kTimeoutRange>},
    OptionRow{"read-timeout", '\0', "TIME", "for a read without progress (90s)",
              set_time<&SharedOptions::read_timeout, kTimeoutRange>},
    OptionRow{"log-level", '\0', "LEVEL", "error, warning, info or debug (info)", set_log_level},
    OptionRow{"help", 'h', "", "print this", nullptr},
    OptionRow{"version", 'V', "", "print the version", nullptr},
};

std::string dashed(std::string_view name) {
  std::string result(name);
  std::replace(result.begin(), result.end(), '_', '-');
  return result;
}

std::string help_line(const OptionRow& row) {
  constexpr size_t kHelpColumn = 36;
  std::string line = row.letter != '\0' ? std::string("  -") + row.letter : "    ";
  if (!row.name.empty()) line += (row.letter != '\0' ? ", --" : "  --") + std::string(row.name);
  if (!row.value.empty()) line += " " + std::string(row.value);
  line.append(std::max(line.size() + 1, kHelpColumn) - line.size(), ' ');
  return line + std::string(row.help) + "\n";
}

}  // namespace

OptionRow shared_option(std::string_view name) {
  const auto* row =
      std::find_if(kShared.begin(), kShared.end(), [&](const OptionRow& one) { return one.name == name; });
  REGFS_CHECK(row != kShared.end(), "an option table takes only options that are shared");
  return *row;
}

const OptionRow* OptionTable::find(std::string_view name) const {
  const std::string wanted = dashed(name);
  if (wanted.empty()) return nullptr;
  const auto row = std::find_if(rows_.begin(), rows_.end(), [&](const OptionRow& one) { return one.name == wanted; });
  return row == rows_.end() ? nullptr : &*row;
}

std::string_view OptionTable::nearest(std::string_view mistyped) const {
  const std::string wanted = dashed(mistyped);
  std::string_view best;
  size_t best_distance = 1 + std::max<size_t>(1, wanted.size() / 3);
  for (const OptionRow& row : rows_) {
    const size_t distance = row.name.empty() ? best_distance : edit_distance(wanted, row.name);
    if (distance < best_distance) {
      best = row.name;
      best_distance = distance;
    }
  }
  return best;
}

std::string OptionTable::help() const {
  std::string text;
  for (const OptionRow& row : rows_) text += help_line(row);
  return text;
}

}  // namespace regfs
