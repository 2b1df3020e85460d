// SPDX-License-Identifier: MIT
#include "registry/refusal.h"

#include "registry/error_body.h"
#include "registry/reference.h"

namespace regfs::registry {
namespace {

Errc code_of(const Refusal& refusal) {
  const int status = refusal.status;
  switch (status) {
    case 401: return Errc::unauthorized;
    case 403:
    case 451: return Errc::forbidden;
    case 404:
    case 410: return Errc::not_found;
    // "No repository can be called so", as Artifact Registry says of a path that is only its beginning.
    case 400: return refusal.body.find("NAME_INVALID") != std::string::npos ? Errc::not_found : Errc::bad_response;
    case 405:
    case 501: return Errc::unsupported;
    case 408: return Errc::timed_out;
    case 429: return Errc::rate_limited;
    default: return status >= 500 && status <= 599 ? Errc::server_error : Errc::bad_response;
  }
}

std::string login_command(const std::string& registry_host) {
  return registry_host == kDockerHub ? "docker login" : "docker login " + registry_host;
}

std::string advice(const Refusal& refusal) {
  switch (refusal.status) {
    case 401: return "credentials needed; run '" + login_command(refusal.registry_host) + "'";
    case 403: return "access denied";
    case 404: return "not found";
    case 405:
    case 501: return "the registry does not offer this";
    case 429: return "too many requests; try again later";
    case 451: return "not available for legal reasons";
    default: return refusal.status >= 500 ? "the server failed" : "an answer that was not expected";
  }
}

}  // namespace

Error to_error(const Refusal& refusal) {
  std::string sentence =
      std::to_string(refusal.status) + " from " + refusal.answered_by + " for " + refusal.what + ": " + advice(refusal);
  std::string words = describe_error_body(refusal.body);
  if (!words.empty()) sentence += " (" + words + ")";
  return {code_of(refusal), sentence};
}

}  // namespace regfs::registry
