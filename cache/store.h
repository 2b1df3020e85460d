// SPDX-License-Identifier: MIT
// BlobStore: the one owner of a cache directory in this process; one digest ↔ one Blob.
//
// The directory is a valid OCI layout blob tree (blobs/sha256/HEX), so it can be copied to another
// machine. A blob is published only by: part file → SHA-256 match → fsync → rename → fsync of the
// directory; kill -9 at any instant loses nothing published and publishes nothing wrong. The format
// stands in cache/README.md. Owned by Mount; safe to use from any thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "cache/blob.h"

namespace regfs::cache {

enum class Keep {
  yes,
  no,  // --no-cache: nothing of the directory is read, and nothing is left of what is fetched, not even after kill -9
};

struct StoreOptions {
  Withhold withhold = Withhold::window;
  Keep keep = Keep::yes;
  // What the directory may hold; nullopt: default_cache_bytes() of cache/room.h.
  std::optional<uint64_t> budget_bytes = std::nullopt;
};

class BlobStore {
 public:
  // Makes the directory (0700) and its skeleton if missing, refuses one of a newer format or that
  // cannot be written, and sweeps the debris of dead processes. The error says what to do.
  // With Keep::no it makes nameless files in the directory, or in the nearest above it that exists, and no other.
  // `clock` and `log` must outlive the store.
  static Result<std::unique_ptr<BlobStore>> open(const std::string& directory, const Clock& clock, Log& log,
                                                 const StoreOptions& options = {});
  virtual ~BlobStore() = default;

  // Where its files are; exists.
  virtual const std::string& directory() const = 0;

  // The Blob of that digest, shared by all who ask: complete from the cache, arriving, or new and empty.
  // A cached file whose size or ctime is not what was recorded at publication is verified again
  // before a byte of it is served, and dropped if wrong. A size other than that of a verified blob of
  // this digest is Errc::wrong_length: the descriptor lies. May touch the disk, never the network.
  // With `held_bytes`, unless it is here already, it becomes a stream that holds no more than about that at a time; not
  // one that is withheld whole.
  virtual Result<std::shared_ptr<Blob>> blob(const Digest& digest, uint64_t size_bytes,
                                             std::optional<uint64_t> held_bytes = std::nullopt) = 0;

  // How much the cache could keep, by its budget and its disk, when that is less than so many bytes.
  virtual std::optional<uint64_t> room_short_of(uint64_t bytes) = 0;

  // An archive that somebody reads needs that blob: it is counted as a hit when it is all here, as a miss when it is
  // not. Cheap; the counts reach the disk in seconds, or at the end.
  virtual void count_need(const Blob& blob) = 0;

  // Bytes of that digest that are local, complete or partial; 0 when none. Touches the disk at most
  // by one fstat.
  virtual uint64_t present_bytes(const Digest& digest, uint64_t size_bytes) = 0;

  // While it lives, the published blob of that digest is not evicted; null when there is none. Touches the disk.
  virtual std::shared_ptr<const void> pin(const Digest& digest) = 0;

  // Small documents (manifests, indexes, configs) under their digest: get() verifies what it returns,
  // nullopt when absent, over max_bytes or wrong (then it is dropped). put() requires matching bytes.
  virtual std::optional<std::string> document(const Digest& digest, uint64_t max_bytes) = 0;
  virtual Result<void> put_document(const Digest& digest, const std::string& bytes) = 0;

  // Called when the bytes of a Blob did not match its digest and were dropped, after its waiters ran,
  // on a verifier thread. Set once, before the first blob().
  virtual void on_dropped(std::function<void(const Digest&)> observer) = 0;

  // Called with what was evicted, complete or partial: it is not local any more. What was read of it stays right. On
  // any thread that writes; must only hand work on. Set once, before the first blob().
  virtual void on_evicted(std::function<void(const std::vector<Digest>&)> observer) = 0;

  // Waits at most so long until what is verified is published, or cannot be; false when something still is to come.
  virtual bool settle(std::chrono::milliseconds patience) = 0;

  // Every arriving blob fails with `error`, and verifiers end. What is verified already is still published if that
  // takes no longer than a moment; the rest is kept as parts. Idempotent; waits for an fsync under way.
  virtual void shutdown(Error error) = 0;
};

}  // namespace regfs::cache
