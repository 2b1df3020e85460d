// SPDX-License-Identifier: MIT
#include "registry/token_request.h"

#include "registry/redirect.h"
#include "registry/transport_failure.h"
#include "registry/url.h"

namespace regfs::registry {
namespace {

std::string without_fragment(const std::string& realm) {
  return realm.substr(0, realm.find('#'));
}

std::string token_url(const TokenWant& want) {
  std::string url = without_fragment(want.realm);
  char separator = url.find('?') == std::string::npos ? '?' : '&';
  // Artifact Registry names no service.
  if (!want.service.empty()) {
    url += separator + ("service=" + percent_encode(want.service));
    separator = '&';
  }
  return url + separator + "scope=" + percent_encode(want.scope);
}

std::string refresh_form(const TokenWant& want, const Secret& refresh_token) {
  std::string form = "grant_type=refresh_token&client_id=regfs&scope=" + percent_encode(want.scope);
  if (!want.service.empty()) form += "&service=" + percent_encode(want.service);
  return form + "&refresh_token=" + percent_encode(refresh_token.reveal());
}

// An IPv4 or IPv6 literal. Names that look like one ("1.2.3.4.example") are none.
bool is_address(const std::string& host) {
  return host.starts_with('[') || host.find_first_not_of("0123456789.") == std::string::npos;
}

}  // namespace

RetryPolicy retry_policy(const ClientOptions& options) {
  return {options.attempts, options.backoff_first, options.backoff_longest, options.timeout};
}

TokenRequests::TokenRequests(Caller& caller, const Endpoints& endpoints, const Clock& clock,
                             const ClientOptions& options)
    : caller_(caller), endpoints_(endpoints), clock_(clock), options_(options) {}

Answer TokenRequests::ask(const TokenWant& want, const std::optional<Credential>& credential) {
  if (Result<void> allowed = check_realm(want, want.realm); !allowed) {
    Answer refused;
    refused.url = want.realm;
    refused.error = allowed.error();
    return refused;
  }
  if (!credential || !may_know_secrets(want, want.realm)) return get(want, std::nullopt);
  if (!credential->identity_token.empty()) {
    Answer answer = post(want, credential->identity_token);
    // The specification's way to say that a realm has no OAuth2: it is asked the old way.
    bool no_oauth = !answer.error && (answer.head.status == 404 || answer.head.status == 405);
    if (!no_oauth) return answer;
    std::string username = credential->username.empty() ? "<token>" : credential->username;
    return get(want, basic_authorization(username, credential->identity_token));
  }
  if (credential->has_password()) return get(want, basic_authorization(credential->username, credential->password));
  return get(want, std::nullopt);
}

Answer TokenRequests::get(const TokenWant& want, const std::optional<Secret>& authorization) {
  return caller_.with_retries(retry_policy(options_), clock_, [&] {
    HttpRequest request;
    request.url = token_url(want);
    if (authorization) request.headers.add("Authorization", authorization->reveal());
    return follow(want, std::move(request));
  });
}

Answer TokenRequests::post(const TokenWant& want, const Secret& refresh_token) {
  return caller_.with_retries(retry_policy(options_), clock_, [&] {
    HttpRequest request;
    request.method = "POST";
    request.url = without_fragment(want.realm);
    request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    request.body = refresh_form(want, refresh_token);
    return follow(want, std::move(request));
  });
}

// One try, redirects included: each hop must be a realm that may be asked, and hears a secret only where the first did.
Answer TokenRequests::follow(const TokenWant& want, HttpRequest request) {
  const std::optional<Origin> told = origin_of(request.url);
  request.headers.add("User-Agent", options_.user_agent);
  request.headers.add("Accept", "application/json");
  request.decode_content = true;
  request.connect_timeout = options_.connect_timeout;
  request.stall_timeout = options_.timeout;
  for (int hop = 0;; ++hop) {
    HttpRequest sent = request;
    const bool first = origin_of(sent.url) == told;
    endpoints_.secure(sent, first ? Endpoints::Peer::realm : Endpoints::Peer::other);
    Answer answer = caller_.send(std::move(sent), kMaxTokenBodyBytes);
    if (answer.error || !is_redirect(answer.head.status)) return answer;
    Result<std::string> next = redirect_target(request.url, answer.head, Protects::tls);
    Result<void> allowed = next ? check_realm(want, *next) : Result<void>(next.error());
    if (allowed && origin_of(*next) != told) {
      request.headers.remove("Authorization");
      if (request.method == "POST") {
        allowed = Error{Errc::bad_response,
                        "it redirects to " + host_in(*next) + ", to whom the identity token is not shown"};
      }
    }
    if (hop == kMaxRedirects) allowed = Error{Errc::bad_response, "too many redirects"};
    if (!allowed) {
      answer.error = allowed.error();
      return answer;
    }
    request.url = *next;
  }
}

Result<void> TokenRequests::check_realm(const TokenWant& want, const std::string& url) const {
  std::optional<Origin> registry = origin_of(want.registry_url);
  std::optional<Origin> realm = origin_of(url);
  if (!registry || !realm) {
    return Error{Errc::bad_response, host_in(want.registry_url) + " names a token realm that is no http or https URL"};
  }
  bool both_loopback = is_loopback_host(registry->host) && is_loopback_host(realm->host);
  if (realm->scheme == "https" || *realm == *registry || both_loopback) return {};
  return Error{Errc::bad_response, host_in(want.registry_url) + " names the token realm " + redacted(url) +
                                       ", which is not https: refused"};
}

bool TokenRequests::may_know_secrets(const TokenWant& want, const std::string& url) const {
  std::optional<Origin> registry = origin_of(want.registry_url);
  std::optional<Origin> realm = origin_of(url);
  if (!registry || !realm || !check_realm(want, url)) return false;
  bool both_loopback = is_loopback_host(registry->host) && is_loopback_host(realm->host);
  return !is_address(realm->host) || realm->host == registry->host || both_loopback;
}

}  // namespace regfs::registry
