// SPDX-License-Identifier: MIT
// What a failed transfer means and how it is told, apart from how it was carried out. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "registry/transport.h"

namespace regfs::registry {

// What the TLS library's words about a failed handshake mean: not_tls when the peer answered with something
// that is no TLS record, broken when the network cut it, else tls.
TransportFailure handshake_failure(std::string_view words);

// Whether a peer has ended TLS because it was shown no certificate that it takes.
bool wants_certificate(std::string_view words);

// The Error of a failure other than none: a sentence that names the host, and of TLS what to do.
Error transport_error(TransportFailure failure, const std::string& host, const std::string& words);

// Why a request may not be sent at all, if so: its URL is no plain http or https URL, or a header holds
// control characters, or the certs.d directory of its host cannot be used.
std::optional<Error> objection_to(const HttpRequest& request);

// The host and port of a URL as sentences name it.
std::string host_in(const std::string& url);

}  // namespace regfs::registry
