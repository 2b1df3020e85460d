// SPDX-License-Identifier: MIT
// The real Transport: libcurl's multi interface on one thread named "http", which moves bytes and decides
// nothing.
//
// HTTP/1.1 over kept-alive connections: of parallel ranges each gets a connection of its own, and the next
// request finds it warm. TLS is verified against the system's certificates unless a request says otherwise. Proxies
// come from the environment as libcurl reads it, except for loopback hosts, which are always asked directly. No
// redirect is followed, no cookie, netrc or HSTS file is read, and nothing is decoded that the request does not allow.
// A request whose URL or headers hold control characters is refused before anything is sent.
//
// Owned by Mount and made after it has become a daemon: threads do not survive a fork. Safe to use from any
// thread.
#pragma once

#include <cstddef>
#include <memory>

#include "registry/transport.h"

namespace regfs::registry {

// Of one answer, interim ones included: more is no registry. 256 KiB is far above what signed redirects need.
inline constexpr size_t kMaxHeaderBytes = 256u << 10;
// Idle connections that are kept, as many as a mount uses at once.
inline constexpr long kMaxIdleConnections = 64;
// A safety net far above what a mount asks of one host; requests beyond it wait inside libcurl.
inline constexpr long kMaxHostConnections = 128;

class HttpLoop : public Transport {
 public:
  HttpLoop();
  ~HttpLoop() override;  // stop()
  HttpLoop(const HttpLoop&) = delete;
  HttpLoop& operator=(const HttpLoop&) = delete;

  RequestId start(HttpRequest request, std::shared_ptr<HttpHandler> handler) override;
  void cancel(RequestId id) override;

  // Ends every request with `cancelled` and waits for the thread. A start() after it is answered so at
  // once, on the caller's thread. Idempotent; not from a handler.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace regfs::registry
