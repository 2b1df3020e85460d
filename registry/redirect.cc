// SPDX-License-Identifier: MIT
#include "registry/redirect.h"

#include "registry/url.h"

namespace regfs::registry {

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool turns_away(int status) {
  return status == 400 || status == 401 || status == 403;
}

Result<std::string> redirect_target(std::string_view from_url, const HttpHead& head, Protects protects) {
  std::optional<Origin> from = origin_of(from_url);
  std::string answerer = from ? from->authority() : redacted(from_url);
  std::optional<std::string> location = head.headers.first("Location");
  if (!location) return Error{Errc::bad_response, answerer + " redirects without saying where"};
  std::optional<std::string> target = resolve_url(from_url, *location);
  if (!target) return Error{Errc::bad_response, answerer + " redirects to what is no http or https URL"};
  std::optional<Origin> to = origin_of(*target);
  const bool loopback = is_loopback_host(from->host) && is_loopback_host(to->host);
  const bool harmless = loopback && protects == Protects::digest;
  if (from->scheme == "https" && to->scheme == "http" && !harmless) {
    return Error{Errc::bad_response, answerer + " redirects from https to http at " + to->host + ": refused"};
  }
  return *target;
}

}  // namespace regfs::registry
