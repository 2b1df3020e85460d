// SPDX-License-Identifier: MIT
#include "registry/endpoint.h"

#include "registry/reference.h"
#include "registry/url.h"

namespace regfs::registry {
namespace {

std::string dialled(const std::string& registry_host) {
  return registry_host == kDockerHub ? "registry-1.docker.io" : registry_host;
}

}  // namespace

Endpoints::Endpoints(std::set<std::string> insecure_hosts, TlsOptions tls)
    : insecure_hosts_(std::move(insecure_hosts)), trust_(std::move(tls)) {}

bool Endpoints::may_fall_back(const std::string& registry_host) const {
  return is_loopback_host(registry_host) || insecure(registry_host);
}

Endpoint Endpoints::of(const std::string& registry_host) const {
  const bool verify = verifies("https://" + dialled(registry_host));
  MutexLock lock(mutex_);
  const char* scheme = plain_http_.count(registry_host) != 0 ? "http://" : "https://";
  return {scheme + dialled(registry_host), verify};
}

bool Endpoints::changed_by_failure(const std::string& registry_host, const Endpoint& used, TransportFailure failure) {
  bool was_plain = used.url.starts_with("http://");
  if (!was_plain && (failure != TransportFailure::not_tls || !may_fall_back(registry_host))) return false;
  MutexLock lock(mutex_);
  if (!was_plain) {
    plain_http_.insert(registry_host);
    return true;
  }
  // Whoever listens there next may speak TLS: the next request starts with https again.
  plain_http_.erase(registry_host);
  return false;
}

void Endpoints::answered(const std::string& registry_host, const Endpoint& used, int status) {
  if (status != 400 || !used.url.starts_with("http://")) return;
  MutexLock lock(mutex_);
  plain_http_.erase(registry_host);
}

bool Endpoints::verifies(std::string_view url) const {
  std::optional<Origin> origin = origin_of(url);
  return !origin || !calls_insecure(*origin) || trust_.of(*origin)->own_ca;
}

void Endpoints::secure(HttpRequest& request, Peer peer) const {
  std::optional<Origin> origin = origin_of(request.url);
  if (!origin || origin->scheme != "https") return;
  request.verify_tls = verifies(request.url);
  request.tls = trust_.of(*origin);
  request.show_certificate = peer != Peer::other;
}

bool Endpoints::may_know_secrets(std::string_view url) const {
  std::optional<Origin> origin = origin_of(url);
  if (!origin) return false;
  return origin->scheme == "https" || is_loopback_host(origin->host) || calls_insecure(*origin);
}

bool Endpoints::calls_insecure(const Origin& origin) const {
  return insecure(canonical_host(origin.authority())) || insecure(origin.host + ":" + std::to_string(origin.port));
}

}  // namespace regfs::registry
