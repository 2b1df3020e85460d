// SPDX-License-Identifier: MIT
#include "tools/mount_option_table.h"

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include <algorithm>
#include <array>

#include "tools/option_setters.h"
#include "tools/options.h"

namespace regfs {
namespace {

constexpr TimeRange kTagTtl{std::chrono::milliseconds(0), std::chrono::hours(24 * 365)};

Result<void> set_verify(std::string_view value, SharedOptions& options) {
  if (value != "stream" && value != "before") {
    return Error(Errc::invalid_argument, "'" + std::string(value) + "' is no time to verify; give stream or before");
  }
  option_field(&MountOptions::verify_before, options) = value == "before";
  return {};
}

}  // namespace

const OptionTable& mount_option_table() {
  static const OptionTable table(
      "regfs",
      {
          {"foreground", 'f', "", "stay in the foreground, log to stderr", set_switch<&MountOptions::foreground>},
          {"", 'o', "LIST", "mount options: all these, with _ or -", nullptr},
          shared_option("cache-dir"),
          shared_option("cache-size"),
          shared_option("no-cache"),
          shared_option("offline"),
          shared_option("max-concurrent-downloads"),
          {"verify", '\0', "WHEN", "stream, or before a byte is read (stream)", set_verify},
          shared_option("insecure-registry"),
          shared_option("username"),
          shared_option("password"),
          shared_option("password-stdin"),
          shared_option("authfile"),
          shared_option("ca-cert"),
          {"tag-ttl", '\0', "TIME", "ask again what a tag means after (60s)",
           set_time<&MountOptions::tag_ttl, kTagTtl>},
          shared_option("connect-timeout"),
          shared_option("timeout"),
          shared_option("read-timeout"),
          {"lookup-timeout", '\0', "TIME", "for a name, e.g. a tag (10s)",
           set_time<&MountOptions::lookup_timeout, kTimeoutRange>},
          {"list-timeout", '\0', "TIME", "for a listing (60s)", set_time<&MountOptions::list_timeout, kTimeoutRange>},
          shared_option("log-level"),
          {"log-file", '\0', "FILE", "append the log to it", set_path<&MountOptions::log_file>},
          {"allow-other", '\0', "", "let other users read it, root included", set_switch<&MountOptions::allow_other>},
          {"default-permissions", '\0', "", "let the kernel check permissions",
           set_switch<&MountOptions::default_permissions>},
          shared_option("help"),
          shared_option("version"),
      });
  return table;
}

bool is_ignored_mount_option(std::string_view name) {
  static constexpr std::array<std::string_view, 28> kIgnored{
      "rw",       "ro",         "dev",      "nodev",      "suid",        "nosuid",        "exec",
      "noexec",   "auto",       "noauto",   "user",       "nouser",      "users",         "nofail",
      "-netdev",  "defaults",   "comment",  "async",      "sync",        "atime",         "noatime",
      "diratime", "nodiratime", "relatime", "norelatime", "strictatime", "nostrictatime", "lazytime"};
  return name.starts_with("x-") || std::find(kIgnored.begin(), kIgnored.end(), name) != kIgnored.end();
}

std::string help_text() {
  std::string text =
      "Usage: regfs [options] [HOST] MOUNTPOINT [-o name=value,...]\n"
      "Mounts container registries (or only HOST) as a directory tree.\n"
      "  regfs ~/reg && docker load < ~/reg/nginx/latest/linux-amd64.tar\n"
      "  fusermount3 -u ~/reg\n\n";
  return text + mount_option_table().help() +
         "TIME is 10 (seconds), 500ms, 90s, 5m or 1h. More, with examples: man regfs\n";
}

std::string version_text() {
  return "regfs " REGFS_VERSION "\nlibfuse " + std::string(fuse_pkgversion()) + "\n";
}

}  // namespace regfs
