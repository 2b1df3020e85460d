// SPDX-License-Identifier: MIT
// Sends one HTTP request, without following redirects, and hands over what comes back.
//
// The real one is HttpLoop (libcurl); tests hand in others, or wrap one in a decorator that breaks things.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/result.h"
#include "registry/http.h"

namespace regfs::registry {

// How a transfer ended, beside the Error: what the caller decides by.
enum class TransportFailure {
  none,
  not_tls,     // the peer answered a TLS handshake with something that is no TLS
  tls,         // TLS was spoken and failed: unknown CA, wrong name, expired
  refused,     // connection refused, no route
  unresolved,  // the name does not resolve
  timed_out,   // connect, first byte, stall
  broken,      // reset, closed early, not HTTP
  stopped,     // the handler asked to stop
  cancelled,   // cancel() or stop()
};

// Called on the transport's own thread, in this order: head, body*, done. Must not wait.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  virtual bool on_head(const HttpHead& head) = 0;              // false: stop here
  virtual bool on_body(std::span<const std::byte> bytes) = 0;  // false: stop here
  // Exactly once, and last. `outcome` is ok when the whole entity arrived as its framing said.
  virtual void on_done(Result<void> outcome, TransportFailure failure) = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;

  using RequestId = uint64_t;
  // Any thread; returns at once. The handler lives until on_done has returned.
  virtual RequestId start(HttpRequest request, std::shared_ptr<HttpHandler> handler) = 0;
  // Any thread; on_done(cancelled) follows unless it has run already. Returns before that.
  virtual void cancel(RequestId id) = 0;
};

}  // namespace regfs::registry
