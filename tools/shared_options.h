// SPDX-License-Identifier: MIT
// What every program that reads from registries may be told: the registries, the cache, the time limits.
// A value; one row of the option table each.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "tools/credential_options.h"
#include "tools/trust_options.h"

namespace regfs {

struct SharedOptions {
  std::string cache_dir;                // as given, or the default; relative to the working directory
  std::optional<uint64_t> cache_bytes;  // what the directory may hold; nullopt: the default for its filesystem
  bool offline = false;                 // no registry is asked
  bool no_cache = false;                // nothing is read from the cache directory, and nothing kept
  int max_concurrent_downloads = 16;
  std::set<std::string> insecure_registries;  // canonical HOST or HOST:PORT
  CredentialOptions credentials;              // not settled yet: settle_login() does
  TrustOptions trust;                         // not settled yet: settle_trust() does
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds timeout{30'000};
  std::chrono::milliseconds read_timeout{90'000};
  LogLevel log_level = LogLevel::info;
};

// What the defaults depend on.
struct Environment {
  std::string home;            // $HOME
  std::string xdg_cache_home;  // $XDG_CACHE_HOME; ignored unless absolute
  bool is_root = false;        // effective user 0
};

// Of this process.
Environment environment();

// Where --cache-dir was not given: the default. Errc::invalid_argument when nothing says where that is.
Result<void> settle_cache_dir(SharedOptions& options, const Environment& environment);

// What follows the reading of a command line, before there is any thread: passwords leave argv and the environment,
// memory is kept from others, and the credentials and the trust of `options` are completed; a password on standard
// input is read. A name and a password are for `login_host`. True when --password was given, for all to see. The error
// is one of usage.
Result<bool> settle(SharedOptions& options, const std::optional<std::string>& login_host, int argc, char** argv);

}  // namespace regfs
