// SPDX-License-Identifier: MIT
#include "tools/credential_options.h"

#include <string.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <vector>

#include "registry/credential_store.h"
#include "tools/option_value.h"

namespace regfs {
namespace {

std::optional<std::string> take_variable(const char* name) {
  char* value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  std::string taken(value);
  ::explicit_bzero(value, taken.size());  // what /proc/PID/environ shows
  ::unsetenv(name);
  return taken;
}

registry::CredentialEnvironment credential_environment(const std::string& authfile, Secret docker_auth_config) {
  registry::CredentialEnvironment environment;
  environment.authfile = authfile;
  environment.registry_auth_file = environment_variable("REGISTRY_AUTH_FILE");
  environment.docker_auth_config = std::move(docker_auth_config);
  environment.docker_config = environment_variable("DOCKER_CONFIG");
  environment.home = environment_variable("HOME");
  environment.xdg_runtime_dir = environment_variable("XDG_RUNTIME_DIR");
  environment.xdg_config_home = environment_variable("XDG_CONFIG_HOME");
  environment.path = environment_variable("PATH");
  environment.user = ::geteuid();
  return environment;
}

Result<Secret> read_password(int fd) {
  std::string text;
  char buffer[4096];
  while (true) {
    const ssize_t count = ::read(fd, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      return usage_error("--password-stdin: standard input cannot be read: " + std::string(strerror(errno)));
    if (count == 0) break;
    text.append(buffer, static_cast<size_t>(count));
    if (text.size() > kMaxPasswordBytes) return usage_error("--password-stdin: over 64 KiB are no password");
  }
  ::explicit_bzero(buffer, sizeof(buffer));
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  if (text.empty()) return usage_error("--password-stdin: standard input holds no password");
  return Secret(std::move(text));
}

constexpr std::string_view kName = "password=";

void overwrite(char* begin) {
  for (; *begin != '\0'; ++begin) *begin = '*';
}

// The values of password=… in a list of mount options, where a backslash makes a comma part of the value.
void overwrite_in_list(char* list) {
  bool begins = true;  // of an item
  for (char* at = list; *at != '\0';) {
    const bool here = begins && std::string_view(at).starts_with(kName);
    if (here) at += kName.size();
    while (*at != '\0' && *at != ',') {
      const bool escaped = *at == '\\' && at[1] != '\0';
      if (here) *at = '*';
      ++at;
      if (!escaped) continue;
      if (here) *at = '*';
      ++at;
    }
    begins = *at == ',';
    if (begins) ++at;
  }
}

}  // namespace

LoginVariables take_login_variables() {
  LoginVariables variables;
  variables.username = take_variable("REGFS_USERNAME").value_or("");
  if (std::optional<std::string> password = take_variable("REGFS_PASSWORD"); password && !password->empty()) {
    variables.password = Secret(std::move(*password));
  }
  return variables;
}

void hide_passwords(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--password" && i + 1 < argc) {
      overwrite(argv[++i]);
    } else if (word.starts_with("--password=")) {
      overwrite(argv[i] + std::string_view("--password=").size());
    } else if (word == "-o" && i + 1 < argc) {
      overwrite_in_list(argv[++i]);
    } else if (word.starts_with("-") && !word.starts_with("--") && word.find('o') != std::string_view::npos) {
      // "-opassword=…", "-fopassword=…"; a list in the next word is what is looked at next.
      char* list = argv[i] + word.find('o') + 1;
      if (*list != '\0') {
        overwrite_in_list(list);
      } else if (i + 1 < argc) {
        overwrite_in_list(argv[++i]);
      }
    }
  }
}

Result<void> settle_login(CredentialOptions& options, LoginVariables variables, const std::optional<std::string>& host,
                          int stdin_fd) {
  if (!options.authfile.empty()) {
    options.authfile = std::filesystem::absolute(options.authfile).lexically_normal().string();
    Result<void> good = registry::StoredCredentials::check({options.authfile, options.authfile});
    if (!good) return usage_error("--authfile: " + good.error().context());
  }
  if (options.password && options.password_stdin) {
    return usage_error("--password and --password-stdin are two ways to say one thing; give one of them");
  }
  const bool named = !options.username.empty();
  const bool secret = options.password || options.password_stdin;
  std::string name_from = named ? "--username" : "REGFS_USERNAME";
  std::string secret_from = options.password         ? "--password"
                            : options.password_stdin ? "--password-stdin"
                                                     : "REGFS_PASSWORD";
  if (!named) options.username = std::move(variables.username);
  if (!secret) options.password = std::move(variables.password);
  if (options.username.empty() && !options.password && !options.password_stdin) return {};
  if (options.username.empty()) return usage_error(secret_from + " needs a name: give --username NAME too");
  if (!options.password && !options.password_stdin) {
    return usage_error(name_from + " needs a password: give --password-stdin, or set REGFS_PASSWORD");
  }
  if (options.username.find(':') != std::string::npos) return usage_error(name_from + ": a name has no ':'");
  if (!host) {
    return usage_error(name_from +
                       " is for one registry: name it, as in 'regfs HOST MOUNTPOINT'; or run 'docker login HOST'");
  }
  if (!options.password_stdin) return {};
  Result<Secret> password = read_password(stdin_fd);
  if (!password) return password.error();
  options.password = *std::move(password);
  return {};
}

std::vector<std::string> credential_files(const CredentialOptions& options) {
  std::vector<std::string> files;
  for (const registry::CredentialPlace& place :
       registry::credential_places(credential_environment(options.authfile, Secret()))) {
    if (!place.path.empty()) files.push_back(place.path);
  }
  return files;
}

std::shared_ptr<registry::Credentials> make_credentials(const CredentialOptions& options,
                                                        const std::optional<std::string>& host, const Clock& clock,
                                                        Log& log) {
  std::vector<std::shared_ptr<registry::Credentials>> sources;
  if (host && options.password) {
    registry::Credential login;
    login.username = options.username;
    login.password = *options.password;
    login.source = "the command line or environment";
    log.debug("credentials for " + *host + ": " + registry::identity_of(login));
    sources.push_back(std::make_shared<registry::OneLogin>(*host, std::move(login)));
  }
  registry::CredentialEnvironment environment =
      credential_environment(options.authfile, Secret(take_variable("DOCKER_AUTH_CONFIG").value_or("")));
  auto helpers = std::make_unique<registry::HelperRunner>(environment.path);
  sources.push_back(std::make_shared<registry::StoredCredentials>(registry::credential_places(environment),
                                                                  std::move(helpers), clock, log));
  return std::make_shared<registry::FirstOf>(std::move(sources));
}

}  // namespace regfs
