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

  // The first byte of an attempt is about to come. `sends_all`: a piece of the blob was asked for, and the server
  // sends the whole. http thread.
  virtual void began(bool sends_all) { (void)sends_all; }

  // Bytes outside of the range, which came because the server sends all of the blob: not to be thrown away if somebody
  // can use them. False when nobody can use more of them. http thread.
  virtual bool spare(uint64_t offset, std::span<const std::byte> bytes) {
    (void)offset, (void)bytes;
    return false;
  }

  // An attempt broke off, or was refused for now; the next follows after a pause. Pool thread.
  virtual void interrupted() {}

  // Exactly once, the last call, on a pool thread or on the thread that cancels: every byte of the
  // range was written, or why not. Must not throw.
  virtual void finished(Result<void> outcome) = 0;
};

}  // namespace regfs::registry
