// SPDX-License-Identifier: MIT
// One request, waited for: the asynchronous Transport as a plain call, for threads that may wait. Every
// wait ends when the client shuts down.
//
// Owned by Client; safe to use from any thread but the transport's own.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "registry/retry.h"
#include "registry/transport.h"

namespace regfs::registry {

// How a call ended: with an error, or with the head of an answer and as much of its body as was wanted.
struct Answer {
  std::string url;  // who answered, after redirects
  HttpHead head;
  std::string body;
  bool cut = false;  // the body was longer than wanted; what lies beyond is left out
  std::optional<Error> error;
  TransportFailure failure = TransportFailure::none;  // of the error; none when the error is no transport's
};

// What every wait ends with when the client shuts down.
Error shutting_down();

class Caller {
 public:
  explicit Caller(Transport& transport);
  virtual ~Caller();
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  // Waits, with `at_most` no longer than that. At most `body_limit` bytes of a good body are kept, and of a refusing
  // one kMaxErrorBodyBytes. An answer whose head is no 2xx is an answer, even when its body breaks off.
  Answer send(HttpRequest request, size_t body_limit, std::optional<std::chrono::milliseconds> at_most = std::nullopt);

  // Waits that long; false when the client shut down meanwhile. Virtual for tests, which own time.
  virtual bool pause(std::chrono::milliseconds duration);

  // Runs `once` until its answer is worth keeping or the policy gives up, with pauses between. A time-out
  // is tried once more only: each has already cost its whole length.
  Answer with_retries(const RetryPolicy& policy, const Clock& clock, const std::function<Answer()>& once);

  double jitter();  // in [0, 1)
  bool stopped() const;
  // Ends every wait, now and later, with Errc::shutting_down. Idempotent.
  void shutdown();

 private:
  class Waiting;

  Transport& transport_;
  mutable Mutex mutex_;
  CondVar stopping_;
  bool stopped_ REGFS_GUARDED_BY(mutex_) = false;
  std::set<std::shared_ptr<Waiting>> waiting_ REGFS_GUARDED_BY(mutex_);
  std::minstd_rand random_ REGFS_GUARDED_BY(mutex_);
};

}  // namespace regfs::registry
