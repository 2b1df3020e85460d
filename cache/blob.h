// SPDX-License-Identifier: MIT
// One content-addressed object, complete or still arriving.
//
// Owned jointly by the open files reading it, the transfers filling it and (while something of it is
// kept) the store. One digest is one Blob in a process. It is sparse while it arrives: several ranges
// come at once and any of them may be read; what it knows is an interval set. Safe to use from any
// thread; no callback runs with a lock held.
//
// Invariant: unless it is a stream, what it holds only grows, and a byte once present is never rewritten
// (until the whole is dropped for a wrong digest). Its withheld window becomes readable only once the
// SHA-256 of all of it has matched: no reader can pass through a wrong layer, which holds for streams too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/clock.h"
#include "base/digest.h"
#include "base/job.h"
#include "base/result.h"
#include "cache/byte_range.h"

namespace regfs::cache {

// A Blob up to this size is withheld whole until verified …
inline constexpr uint64_t kWithheldWholeBytes = 1ull << 20;
// … of a larger one the 64 KiB that end 128 KiB before its end: late enough that nearly everything
// streams, early enough that the header behind the layer stays reachable for whoever only lists.
inline constexpr uint64_t kWithheldWindowBytes = 64ull << 10;
inline constexpr uint64_t kAfterWithheldBytes = 128ull << 10;
// What nobody sees of a blob before its SHA-256 has matched.
enum class Withhold {
  window,  // the above: no reader gets through a wrong blob, and nearly all of it streams
  all      // verify=before: no byte of a wrong blob is ever seen, and none of a right one before it is whole
};
// A failure is remembered this long; a demand after it tries anew.
inline constexpr std::chrono::seconds kFailureMemory{5};

class Claim;

class Blob : public std::enable_shared_from_this<Blob> {
 public:
  virtual ~Blob() = default;

  virtual const Digest& digest() const = 0;
  virtual uint64_t size_bytes() const = 0;  // known from the descriptor before the first byte arrives
  virtual ByteRange withheld() const = 0;   // what is not readable before the digest has matched
  virtual bool complete() const = 0;        // verified, all of it
  virtual uint64_t present_bytes() const = 0;
  virtual uint64_t arrived_bytes() const = 0;  // of the blob; less of them may be present, when it is a stream
  virtual Monotonic::time_point last_progress() const = 0;  // when a byte last arrived; creation at first

  // --- readers ---

  enum class Readable { yes, not_yet, failed };
  // Of [offset, offset + length), inside the blob: present and not withheld; not yet; or not, and the
  // blob has failed (then failure() says why). Present bytes stay readable after a failure other than
  // a wrong digest.
  virtual Readable readable(uint64_t offset, uint64_t length) const = 0;
  virtual std::optional<Error> failure() const = 0;

  // Fills `out` from `offset`, all of it or an error. Only what readable() said yes to. Does not wait
  // for the network; reads the page cache or the disk.
  virtual Result<void> read(uint64_t offset, std::span<std::byte> out) const = 0;

  using WaitId = uint64_t;
  // Runs the waiter exactly once: when readable() would no longer say not_yet, or at once on this
  // thread if it does not now. Otherwise on the thread that makes it so (http, verifier), so a waiter
  // must only hand work on. 0 when it ran at once. It also runs when an old cached file that was being
  // verified again proved wrong: readable() still says not_yet then, and the bytes must be asked for
  // anew (until then covered() held, as nothing could be claimed).
  virtual WaitId when_readable(uint64_t offset, uint64_t length, Job waiter) = 0;
  // True when the waiter will not run (it is destroyed); false when it has run or runs now.
  virtual bool cancel(WaitId id) = 0;

  // --- what is too large to be kept ---

  // Made a stream by BlobStore::blob(): what its readers have passed is given up, and fetched again for whoever goes
  // back to it. It is never complete. More than it may hold, read out of order, is ENOSPC.
  virtual bool is_stream() const = 0;
  // Where a reader is, and that it is gone; `reader` is never looked into. Only a stream cares.
  virtual void reader_at(const void* reader, uint64_t offset) = 0;
  virtual void reader_left(const void* reader) = 0;
  // What must be present before `asked` can be read: more than that while it is withheld.
  virtual ByteRange needed_for(const ByteRange& asked) const = 0;
  // What may be brought before anybody asks for it.
  virtual ByteRange worth_prefetching() const = 0;

  // --- producers ---

  // The first gap inside [offset, offset + length) that is neither present nor claimed by another, in this process or
  // one that shares the cache directory, now claimed by the caller; nullopt when there is none, or the blob is complete
  // or failed. Touches the disk.
  virtual std::optional<Claim> claim(uint64_t offset, uint64_t length) = 0;
  // Whether every byte of the range is present or claimed by somebody: nothing to start. What another process has
  // claimed becomes free without a word when that process ends.
  virtual bool covered(uint64_t offset, uint64_t length) const = 0;

  // The blob cannot be had now: every waiter runs and finds it failed. Ignored when complete.
  virtual void fail(Error error) = 0;
  // Clears a failure older than kFailureMemory, so that the next claim tries anew; what is present is
  // kept. True when the blob is not failed (any more).
  virtual bool retry_if_due() = 0;

 protected:
  friend class Claim;
  // Bytes of a claim; clipped to it by Claim. http thread.
  virtual Result<void> write(uint64_t offset, std::span<const std::byte> bytes) = 0;
  virtual void release(ByteRange range) = 0;
};

// The right to bring a range of a Blob, exclusive until destroyed. Move-only; one thread at a time.
class Claim {
 public:
  Claim(std::shared_ptr<Blob> blob, ByteRange range) : blob_(std::move(blob)), range_(range) {}
  Claim(Claim&&) noexcept = default;
  Claim& operator=(Claim&&) = delete;
  ~Claim() {
    if (blob_) blob_->release(range_);
  }

  const ByteRange& range() const { return range_; }
  // Leaves what lies from `end` on, inside the claim, to others. Not while a write() runs.
  void shorten(uint64_t end);
  Blob& blob() const { return *blob_; }
  // Bytes at `offset` of the blob; what lies outside the claim is left out silently. Bytes become
  // readable as they are written; an error is the disk's (ENOSPC …) or that the blob was dropped.
  Result<void> write(uint64_t offset, std::span<const std::byte> bytes);

 private:
  std::shared_ptr<Blob> blob_;
  ByteRange range_;
};

}  // namespace regfs::cache
