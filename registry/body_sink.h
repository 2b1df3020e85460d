// SPDX-License-Identifier: MIT
// Where the bytes of a blob go. The registry side writes into one; the cache offers one; neither
// includes the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"

namespace regfs::registry {

class BodySink {
 public:
  virtual ~BodySink() = default;

  // Bytes that stand at `offset` of the blob. Called on the http thread, in ascending order within
  // one attempt; a new attempt goes on at the first byte that was not accepted. An error ends the
  // download with that error (a full disk).
  virtual Result<void> write(uint64_t offset, std::span<const std::byte> bytes) = 0;

  // Exactly once, the last call, on a pool thread or on the thread that cancels: every byte of the
  // range was written, or why not.
  virtual void finished(Result<void> outcome) = 0;
};

}  // namespace regfs::registry
