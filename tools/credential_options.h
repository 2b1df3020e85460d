// SPDX-License-Identifier: MIT
// The options that say who one is to a registry, for every program that asks one.
//
// A name and a password on the command line are for one registry: the caller says which, and its absence is a
// usage error. Nothing here prints, stores or passes on a secret but as a Secret.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "base/secret.h"
#include "registry/credentials.h"

namespace regfs {

struct CredentialOptions {
  std::string username = {};            // empty: not given
  std::optional<Secret> password = {};  // of --password, and of all places once settled
  bool password_stdin = false;
  std::string authfile = {};  // as given; absolute once settled; empty: the usual files
};

// $REGFS_USERNAME and $REGFS_PASSWORD.
struct LoginVariables {
  std::string username;
  std::optional<Secret> password;
};

// Reads them and removes them from the environment, where /proc and children would show them. Before there is
// any thread.
LoginVariables take_login_variables();

// Overwrites the values of --password and of -o password=… in argv, and so in /proc/PID/cmdline.
void hide_passwords(int argc, char** argv);

inline constexpr size_t kMaxPasswordBytes = 64u << 10;  // ECR's have several KiB

// Completes the name and the password of the options from the variables and, when told to, from `stdin_fd` (all
// of it, without one line end). `host` is the one registry they are for. Errc::invalid_argument with a sentence when
// half of them is missing, or there is no such registry, or the authfile cannot be read or understood.
Result<void> settle_login(CredentialOptions& options, LoginVariables variables, const std::optional<std::string>& host,
                          int stdin_fd);

// Where credentials will be looked for, in the order they are asked.
std::vector<std::string> credential_files(const CredentialOptions& options);

// Who knows the credentials of a settled command line and this environment. `clock` and `log` must outlive it.
std::shared_ptr<registry::Credentials> make_credentials(const CredentialOptions& options,
                                                        const std::optional<std::string>& host, const Clock& clock,
                                                        Log& log);

}  // namespace regfs
