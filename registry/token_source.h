// SPDX-License-Identifier: MIT
// What is sent along with a request so that a registry lets it in: a Bearer token from its realm, or a user and a
// password where the challenge says Basic.
//
// A challenge is answered at its realm once however many ask, and the token is shared until shortly before it
// expires. A token belongs to (registry, realm, service, scope, credential): what one registry was given is never sent
// to another, whatever realm that one names. A password goes to the registry itself only where it challenges with
// Basic, and over plain http only on loopback or to a host that the user calls insecure. Owned by Client; safe to use
// from any thread that may wait.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/secret.h"
#include "registry/caller.h"
#include "registry/client.h"
#include "registry/endpoint.h"
#include "registry/reference.h"
#include "registry/refresh_tokens.h"
#include "registry/refusal.h"
#include "registry/token_request.h"

namespace regfs::registry {

// A token is not used any more so shortly before its end: the request is still under way then.
inline constexpr std::chrono::seconds kTokenMargin{10};

// A password or identity token that was refused for a repository is not shown again so soon: an account may be locked
// after a few tries. Another one is, at once.
inline constexpr std::chrono::seconds kRefusalKept{30};

// A token of that age that lacks a scope it was asked for will not have it when it is asked for again.
inline constexpr std::chrono::seconds kFreshToken{60};

// The statuses that renewed() may have an answer to. 403 is what a registry says of a password that has expired or
// was changed (ECR, GHCR).
bool is_challenge(int status);

class TokenSource {
 public:
  TokenSource(Caller& caller, const Endpoints& endpoints, const Clock& clock, const ClientOptions& options);
  ~TokenSource();

  // May wait. The value of the Authorization header for a request for the repository, by its last challenge;
  // nullopt when it has never challenged.
  Result<std::optional<Secret>> current(const Repository& repository);

  // What was shown for the repository last.
  Shown shown(const Repository& repository);

  // May wait. The header that answers a 401 or 403 of `registry_url`; nullopt when there is nothing better to send than
  // `rejected`, the header that was refused. Its token is dropped, unless another thread has replaced it already, and
  // its credential is looked up anew. Errors name the realm's host.
  Result<std::optional<Secret>> renewed(const Repository& repository, const std::string& registry_url,
                                        const HttpHead& head, const std::optional<Secret>& rejected);

 private:
  // How a repository's last challenge is answered.
  struct Habit {
    enum class Scheme { basic, bearer } scheme = Scheme::bearer;
    TokenWant want;
  };
  struct Token {
    Secret header;
    Monotonic::time_point since;
    Monotonic::time_point use_until;
    std::optional<Credential> credential;  // with which it was asked for
    Shown shown;  // its identity as the realm knows it: nobody's where it may be told no secret
  };
  using Found = Result<std::optional<Credential>>;
  struct Flight;  // one request for a token, under way
  class Landing;

  struct Refusal {
    Credential credential;
    Monotonic::time_point until;
    std::optional<Error> error;  // the realm's; of a registry none
  };

  Found find(const Repository& repository);
  std::optional<Refusal> refusal_of(const Repository& repository, const std::optional<Credential>& credential);
  void remember_refusal(const Repository& repository, const std::optional<Credential>& credential,
                        std::optional<Error> error);
  void tell_refused(const Repository& repository);
  std::optional<Habit> habit_of(const Repository& repository);
  Result<std::optional<Habit>> learn(const Repository& repository, const std::string& registry_url,
                                     const HttpHead& head, const std::optional<Secret>& rejected);
  HttpHead greeting(const std::string& registry_url);
  bool denied(const Habit& habit, const HttpHead& head, const std::optional<Secret>& rejected);
  bool outdated(const Repository& repository, const Habit& habit, const Secret& rejected);
  Result<std::optional<Secret>> answer(const Repository& repository, const Habit& habit,
                                       const std::optional<Secret>& rejected);
  Result<std::optional<Secret>> basic(const Repository& repository, const Habit& habit);

  Result<Secret> get(const TokenWant& want, const Repository& repository, const std::optional<Secret>& rejected);
  Result<Secret> fetch(const TokenWant& want, const Repository& repository);
  Answer ask_as(const TokenWant& want, const std::optional<Credential>& credential);
  Result<Answer> ask_realm(const TokenWant& want, const Repository& repository, std::optional<Credential>& credential);
  void note_shown(const Repository& repository, Shown shown) REGFS_REQUIRES(mutex_);
  void forget_expired() REGFS_REQUIRES(mutex_);

  Caller& caller_;
  const Endpoints& endpoints_;
  const Clock& clock_;
  const ClientOptions& options_;
  TokenRequests requests_;
  RefreshTokens refresh_tokens_;
  Mutex mutex_;
  CondVar landed_;
  std::map<Repository, Habit> habits_ REGFS_GUARDED_BY(mutex_);
  std::map<Repository, Refusal> refusals_ REGFS_GUARDED_BY(mutex_);
  std::map<Repository, Shown> shown_ REGFS_GUARDED_BY(mutex_);
  std::map<TokenWant, Token> tokens_ REGFS_GUARDED_BY(mutex_);
  std::map<TokenWant, std::shared_ptr<Flight>> flights_ REGFS_GUARDED_BY(mutex_);
};

}  // namespace regfs::registry
