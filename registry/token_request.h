// SPDX-License-Identifier: MIT
// Asks a token realm: as nobody, with a password, or with a refresh token (the OAuth2 flow).
//
// A realm is asked only over https, or when it is the registry's own origin, or on loopback when the registry itself is
// there. It is told a secret only where that holds and it is no bare address other than the registry's host. A secret
// goes to the realm's own origin and never along a redirect away from it. Owned by TokenSource; safe to use from any
// thread that may wait.
#pragma once

#include <compare>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "registry/caller.h"
#include "registry/client.h"
#include "registry/credentials.h"
#include "registry/endpoint.h"

namespace regfs::registry {

inline constexpr size_t kMaxTokenBodyBytes = 1u << 20;

// What a challenge asks for, and whose credential answers it.
struct TokenWant {
  std::string registry_url;
  std::string realm;
  std::string service;
  std::string scope;
  std::string account;  // the source of the credential; empty: nobody's
  friend auto operator<=>(const TokenWant&, const TokenWant&) = default;
};

RetryPolicy retry_policy(const ClientOptions& options);

class TokenRequests {
 public:
  TokenRequests(Caller& caller, const Endpoints& endpoints, const Clock& clock, const ClientOptions& options);

  // May wait. The realm's answer, whatever its status, after retries and redirects; an error names hosts only.
  Answer ask(const TokenWant& want, const std::optional<Credential>& credential);

  // Whether the realm may be asked at all, and whether it may be told a secret.
  Result<void> check_realm(const TokenWant& want, const std::string& url) const;
  bool may_know_secrets(const TokenWant& want, const std::string& url) const;

 private:
  Answer get(const TokenWant& want, const std::optional<Secret>& authorization);
  Answer post(const TokenWant& want, const Secret& refresh_token);
  Answer follow(const TokenWant& want, HttpRequest request);

  Caller& caller_;
  const Endpoints& endpoints_;
  const Clock& clock_;
  const ClientOptions& options_;
};

}  // namespace regfs::registry
