// SPDX-License-Identifier: MIT
#include "tools/shared_options.h"

#include <unistd.h>

#include "tools/option_value.h"
#include "tools/process.h"

namespace regfs {
namespace {

Result<std::string> default_cache_dir(const Environment& environment) {
  if (environment.is_root) return std::string("/var/cache/regfs");
  // The XDG specification has a relative path ignored.
  if (environment.xdg_cache_home.starts_with('/')) return environment.xdg_cache_home + "/regfs";
  if (!environment.home.empty()) return environment.home + "/.cache/regfs";
  return Error(Errc::invalid_argument,
               "neither HOME nor XDG_CACHE_HOME says where to keep the cache; give --cache-dir DIR");
}

}  // namespace

Environment environment() {
  return {environment_variable("HOME"), environment_variable("XDG_CACHE_HOME"), ::geteuid() == 0};
}

Result<void> settle_cache_dir(SharedOptions& options, const Environment& environment) {
  if (!options.cache_dir.empty()) return {};
  Result<std::string> directory = default_cache_dir(environment);
  if (!directory) return directory.error();
  options.cache_dir = *directory;
  return {};
}

Result<bool> settle(SharedOptions& options, const std::optional<std::string>& login_host, int argc, char** argv) {
  const bool shown = options.credentials.password.has_value();
  hide_passwords(argc, argv);
  keep_memory_private();
  Result<void> settled = settle_login(options.credentials, take_login_variables(), login_host, STDIN_FILENO);
  if (settled) settled = settle_trust(options.trust);
  if (!settled) return settled.error();
  return shown;
}

}  // namespace regfs
