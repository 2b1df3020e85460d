// SPDX-License-Identifier: MIT
// What a user was given to show to registries, and who knows it.
//
// A Credential is a user with a password, or an OAuth2 refresh token, or a Bearer token as it stands. Who
// has one decides nothing about where it goes: TokenSource does.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "registry/reference.h"

namespace regfs::registry {

struct Credential {
  std::string username;   // for Basic; may be empty beside a token
  Secret password;        // goes with it
  Secret identity_token;  // a refresh token: shown to a token realm only
  Secret registry_token;  // a Bearer token as it stands: shown to the registry
  std::string source;     // "/root/.docker/config.json, entry 'ghcr.io'": for sentences, never a secret

  bool has_password() const { return !username.empty() && !password.empty(); }
  friend bool operator==(const Credential&, const Credential&) = default;
};

// Who knows credentials. Outlives the Client. Safe to use from any thread that may wait.
class Credentials {
 public:
  virtual ~Credentials() = default;

  // May wait, for a credential helper. nullopt: there is none, and the registry is asked as nobody. An Error: who
  // should know one did not say.
  virtual Result<std::optional<Credential>> find(const Repository& repository) = 0;
  // The registry did not take what find() gave, or wants something and was given nothing: the next find() asks anew.
  virtual void refused(const Repository& repository) = 0;
  // Ends every wait, now and later. Idempotent.
  virtual void shutdown() {}
};

// One user of one registry, as the command line names it.
class OneLogin : public Credentials {
 public:
  OneLogin(std::string registry_host, Credential credential)
      : host_(std::move(registry_host)), credential_(std::move(credential)) {}

  Result<std::optional<Credential>> find(const Repository& repository) override {
    if (repository.host != host_) return std::optional<Credential>();
    return std::optional<Credential>(credential_);
  }
  void refused(const Repository&) override {}

 private:
  const std::string host_;  // canonical
  const Credential credential_;
};

// "user ann from /root/.docker/config.json, entry 'ghcr.io'": for sentences, never a secret. Empty of nobody.
std::string identity_of(const std::optional<Credential>& credential);

// The first of several that knows one.
class FirstOf : public Credentials {
 public:
  explicit FirstOf(std::vector<std::shared_ptr<Credentials>> sources) : sources_(std::move(sources)) {}

  Result<std::optional<Credential>> find(const Repository& repository) override;
  void refused(const Repository& repository) override;
  void shutdown() override;

 private:
  const std::vector<std::shared_ptr<Credentials>> sources_;
};

// "Basic dXNlcjpwYXNz": the value of an Authorization header.
Secret basic_authorization(const std::string& username, const Secret& password);

}  // namespace regfs::registry
