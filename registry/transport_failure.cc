// SPDX-License-Identifier: MIT
#include "registry/transport_failure.h"

#include <algorithm>

#include "registry/reference.h"
#include "registry/tls_trust.h"
#include "registry/url.h"

namespace regfs::registry {
namespace {

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
}

// Whether the words of a failed handshake say that the peer answered with something that is no TLS
// record. OpenSSL 3.0 calls a plain "HTTP/1.0 400" a wrong version number.
bool says_not_tls(std::string_view words) {
  for (std::string_view sign :
       {"wrong version number", "packet length too long", "http request", "unknown protocol", "record too small"}) {
    if (words.find(sign) != std::string_view::npos) return true;
  }
  return false;
}

bool contains(std::string_view text, std::string_view words) {
  return text.find(words) != std::string_view::npos;
}

}  // namespace

TransportFailure handshake_failure(std::string_view words) {
  if (says_not_tls(words)) return TransportFailure::not_tls;
  // A handshake that the network cut is no verdict of TLS.
  bool cut =
      contains(words, "SSL_ERROR_SYSCALL") || contains(words, "Connection reset") || contains(words, "unexpected eof");
  return cut ? TransportFailure::broken : TransportFailure::tls;
}

// A server that misses a client certificate says so when it is first read from.
bool wants_certificate(std::string_view words) {
  return contains(words, "certificate required") || contains(words, "alert bad certificate") ||
         contains(words, "alert unknown ca") || contains(words, "alert handshake failure");
}

std::string tls_advice(const std::string& host, std::string_view words) {
  const std::string directory = "/etc/docker/certs.d/" + canonical_host(host) + "/";
  if (wants_certificate(words)) {
    return "; if it wants a client certificate, put client.cert and client.key into " + directory;
  }
  if (contains(words, "expired") || contains(words, "not yet valid")) {
    return "; compare the clock of this machine, or have the certificate renewed";
  }
  if (contains(words, "subject name") || contains(words, "IP address")) {
    return "; use the name that the certificate is made out to";
  }
  if (contains(words, "issuer") || contains(words, "self-signed") || contains(words, "self signed")) {
    return "; if you trust the authority that signed it, put its certificate as ca.crt into " + directory +
           " or give --ca-cert";
  }
  return "";
}

Error transport_error(TransportFailure failure, const std::string& host, const std::string& words) {
  switch (failure) {
    case TransportFailure::refused: return {Errc::unreachable, "cannot connect to " + host + ": " + words};
    case TransportFailure::unresolved: return {Errc::unreachable, "the name " + host + " does not resolve: " + words};
    case TransportFailure::timed_out: return {Errc::timed_out, host + ": " + words};
    case TransportFailure::not_tls: return {Errc::bad_response, host + " does not speak TLS: " + words};
    case TransportFailure::tls:
      return {Errc::bad_response, "TLS with " + host + " failed: " + words + tls_advice(host, words)};
    case TransportFailure::cancelled: return {Errc::cancelled, host + ": the request was cancelled"};
    case TransportFailure::stopped: return {Errc::cancelled, host + ": the answer was not wanted any more"};
    case TransportFailure::none:
    case TransportFailure::broken: break;
  }
  return {Errc::bad_response, host + ": " + words};
}

std::optional<Error> objection_to(const HttpRequest& request) {
  if (request.tls && !request.tls->problem.empty()) {
    return Error{Errc::bad_response, host_in(request.url) + " is not asked: " + request.tls->problem};
  }
  if (!origin_of(request.url)) {
    return Error{Errc::bad_response, "refused to ask " + redacted(request.url) + ": not a plain http or https URL"};
  }
  for (const auto& [name, value] : request.headers.fields()) {
    if (has_control(name) || has_control(value)) {
      return Error{Errc::bad_response,
                   host_in(request.url) + ": refused to send a header with a control character in it"};
    }
  }
  return std::nullopt;
}

std::string host_in(const std::string& url) {
  std::optional<Origin> origin = origin_of(url);
  return origin ? origin->authority() : redacted(url);
}

}  // namespace regfs::registry
