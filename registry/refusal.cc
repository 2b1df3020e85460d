// SPDX-License-Identifier: MIT
#include "registry/refusal.h"

#include "registry/challenge.h"
#include "registry/error_body.h"
#include "registry/reference.h"
#include "registry/retry.h"

namespace regfs::registry {
namespace {

bool names_no_repository(const Refusal& refusal) {
  // As Artifact Registry says of a path that is only the beginning of one.
  return refusal.status == 400 && refusal.body.find("NAME_INVALID") != std::string::npos;
}

bool is_server_error(int status) {
  return status >= 500 && status <= 599;
}

bool anonymous(const Refusal& refusal) {
  return refusal.around.shown.identity.empty();
}

Errc code_of(const Refusal& refusal) {
  const int status = refusal.status;
  switch (status) {
    case 401: return Errc::unauthorized;
    case 403:
    case 451: return Errc::forbidden;
    case 404:
    case 410: return Errc::not_found;
    case 400: return names_no_repository(refusal) ? Errc::not_found : Errc::bad_response;
    case 405: return Errc::unsupported;
    case 408: return Errc::timed_out;
    case 429: return Errc::rate_limited;
    default: return is_server_error(status) ? Errc::server_error : Errc::bad_response;
  }
}

// A WWW-Authenticate header that names neither Basic nor Bearer with its realm.
bool is_odd_challenge(const HttpHead& head) {
  return head.headers.first("WWW-Authenticate") && !bearer_challenge(head) && !names_basic(head);
}

std::string too_many(const Refusal& refusal) {
  const std::optional<RateLimit>& limit = refusal.around.limit;
  return "too many requests" + (limit ? ": " + limit->allowed() + " are allowed" : "");
}

std::string cause(const Refusal& refusal) {
  // Docker Hub among others says so of a name that does not exist, too.
  const char* const or_absent = ", or it does not exist";
  switch (refusal.status) {
    case 400: return names_no_repository(refusal) ? "no repository can be called so" : "the request was not understood";
    case 401:
      return (anonymous(refusal) ? "credentials needed" : "the credentials are not accepted") + std::string(or_absent);
    case 403: return std::string("access denied") + or_absent;
    case 404: return "not found, or not visible with these credentials";
    case 405:
    case 501: return "the registry does not offer this";
    case 408: return "the server waited too long";
    case 410: return "gone";
    case 429: return too_many(refusal);
    case 451: return "not available for legal reasons";
    default: return is_server_error(refusal.status) ? "the server failed" : "an answer that was not expected";
  }
}

// When to try again, if that is all there is to do.
std::string next_time(const Circumstances& around) {
  if (!around.retry_after) return "try again later";
  const std::string wait = in_words(*around.retry_after);
  if (*around.retry_after <= around.longest_wait) return "try again in " + wait;
  return "it asks to wait for " + wait + ", longer than --timeout, which is " + in_words(around.longest_wait);
}

std::string next_step(const Refusal& refusal) {
  const std::string login = "run '" + login_command(refusal.registry_host) + "'";
  switch (refusal.status) {
    case 401: return anonymous(refusal) ? login : login + " again, or give another password";
    case 403: return anonymous(refusal) ? login : "ask for access, or log in as somebody else";
    case 404: return anonymous(refusal) ? "check the name; if it is private, " + login : "check the name";
    case 408: return next_time(refusal.around);
    case 429: return next_time(refusal.around) + (anonymous(refusal) ? "; " + login + " to raise the limit" : "");
    default: return is_server_error(refusal.status) ? next_time(refusal.around) : "";
  }
}

}  // namespace

Circumstances circumstances(const HttpHead& head, Shown shown, Wall::time_point now,
                            std::chrono::milliseconds longest_wait) {
  Circumstances around{std::move(shown), std::nullopt, longest_wait, parse_rate_limit(head.headers),
                       is_odd_challenge(head)};
  if (std::optional<std::string> value = head.headers.first("Retry-After")) {
    around.retry_after = parse_retry_after(*value, now);
  }
  return around;
}

Error to_error(const Refusal& refusal) {
  std::string sentence =
      refusal.what + ": " + cause(refusal) + " (" + refusal.answered_by + ": " + std::to_string(refusal.status);
  std::string words = describe_error_body(refusal.body, refusal.around.shown.secrets);
  if (!words.empty()) sentence += " " + words;
  if (refusal.around.odd_challenge) sentence += ", and its WWW-Authenticate header is not understood";
  sentence += "); used: " + (anonymous(refusal) ? "anonymous" : refusal.around.shown.identity);
  if (std::string step = next_step(refusal); !step.empty()) sentence += "; " + step;
  return {code_of(refusal), sentence};
}

}  // namespace regfs::registry
