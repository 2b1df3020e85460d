// SPDX-License-Identifier: MIT
// Which base URL a registry host has, and whether its TLS is verified.
//
//   docker.io                     https://registry-1.docker.io
//   a loopback host               https, verified; http once the port has shown that it speaks no TLS
//   a host the user calls insecure  the same with unverified TLS, verified where certs.d has a CA
//   any other                     https, verified
//
// What a port has shown is remembered in memory, by host. Nothing here asks the network: whoever sends a
// request tells how it ended. Owned by Client; safe to use from any thread.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "registry/tls_trust.h"
#include "registry/transport.h"
#include "registry/url.h"

namespace regfs::registry {

struct Endpoint {
  std::string url;  // "https://ghcr.io", without a slash at its end
  bool verify_tls = true;
};

class Endpoints {
 public:
  // HOST or HOST:PORT; a bare HOST is the one on the scheme's own port.
  explicit Endpoints(std::set<std::string> insecure_hosts, TlsOptions tls = {});

  Endpoint of(const std::string& registry_host) const;

  // A request to `used` failed before any answer. True when of() has another endpoint to offer now.
  bool changed_by_failure(const std::string& registry_host, const Endpoint& used, TransportFailure failure);
  // A plain http endpoint was answered with this status; 400 is what a port says that has learnt TLS meanwhile.
  void answered(const std::string& registry_host, const Endpoint& used, int status);

  // Whether TLS is verified with whoever answers this URL: it is, unless the user calls its host insecure and no
  // certs.d directory names an authority for it.
  bool verifies(std::string_view url) const;
  // How a request to its URL is secured. The registry itself and its realm see a client certificate; a redirect's
  // target and others do not.
  enum class Peer { registry, realm, other };
  void secure(HttpRequest& request, Peer peer) const;
  // Whether a registry at this URL may be shown a password: over https, on loopback, or where the user says so.
  bool may_know_secrets(std::string_view url) const;
  bool insecure(std::string_view host) const { return insecure_hosts_.count(std::string(host)) != 0; }

 private:
  bool calls_insecure(const Origin& origin) const;
  bool may_fall_back(const std::string& registry_host) const;

  const std::set<std::string> insecure_hosts_;
  mutable TlsTrust trust_;
  mutable Mutex mutex_;
  std::set<std::string> plain_http_ REGFS_GUARDED_BY(mutex_);
};

}  // namespace regfs::registry
