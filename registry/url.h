// SPDX-License-Identifier: MIT
// The little that regfs needs of URLs. Pure; any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace regfs::registry {

// Who answers a URL. A credential belongs to an origin and is sent to no other.
struct Origin {
  std::string scheme;  // "http" or "https"
  std::string host;    // lower case; an IPv6 literal keeps its brackets
  uint16_t port = 0;   // the scheme's own where the URL names none

  std::string authority() const;  // "ghcr.io", "127.0.0.1:5000": the port only where it is not the scheme's own
  std::string str() const;        // "https://ghcr.io"
  friend auto operator<=>(const Origin&, const Origin&) = default;
};

// nullopt for anything but an absolute http or https URL of a plain host: user info, control characters,
// white space, backslashes and other schemes are refused.
std::optional<Origin> origin_of(std::string_view url);

// The absolute URL that a reference (of a Link or a Location) means beside `base`, as RFC 3986 resolves it;
// what the reference spells is never re-encoded (it may be signed) and its fragment is dropped. nullopt
// when the result is no URL that origin_of() accepts.
std::optional<std::string> resolve_url(std::string_view base, std::string_view reference);

// For people and logs: no user info, query or fragment. What is no URL becomes "(no URL)".
std::string redacted(std::string_view url);

// Everything but RFC 3986's unreserved characters as %XX.
std::string percent_encode(std::string_view text);

// 127/8, ::1, localhost and *.localhost, with a port or without. By its spelling: no name is resolved.
bool is_loopback_host(std::string_view host);

}  // namespace regfs::registry
