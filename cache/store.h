// SPDX-License-Identifier: MIT
// BlobStore: the one owner of a cache directory in this process; one digest ↔ one Blob.
//
// The directory is a valid OCI layout blob tree (blobs/sha256/HEX), so it can be copied to another
// machine. A blob is published only by: part file → SHA-256 match → fsync → rename → fsync of the
// directory; kill -9 at any instant loses nothing published and publishes nothing wrong. The format
// stands in cache/README.md. Owned by Mount; safe to use from any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "cache/blob.h"

namespace regfs::cache {

class BlobStore {
 public:
  // Makes the directory (0700) and its skeleton if missing, refuses one of a newer format or that
  // cannot be written, and sweeps the debris of dead processes. The error says what to do.
  // `clock` and `log` must outlive the store.
  static Result<std::unique_ptr<BlobStore>> open(const std::string& directory, const Clock& clock, Log& log);
  virtual ~BlobStore() = default;

  virtual const std::string& directory() const = 0;

  // The Blob of that digest, shared by all who ask: complete from the cache, arriving, or new and empty.
  // A cached file whose size or ctime is not what was recorded at publication is verified again
  // before a byte of it is served, and dropped if wrong. A size other than that of a verified blob of
  // this digest is Errc::wrong_length: the descriptor lies. May touch the disk, never the network.
  virtual Result<std::shared_ptr<Blob>> blob(const Digest& digest, uint64_t size_bytes) = 0;

  // Bytes of that digest that are local, complete or partial; 0 when none. Touches the disk at most
  // by one fstat.
  virtual uint64_t present_bytes(const Digest& digest, uint64_t size_bytes) = 0;

  // Small documents (manifests, indexes, configs) under their digest: get() verifies what it returns,
  // nullopt when absent, over max_bytes or wrong (then it is dropped). put() requires matching bytes.
  virtual std::optional<std::string> document(const Digest& digest, uint64_t max_bytes) = 0;
  virtual Result<void> put_document(const Digest& digest, const std::string& bytes) = 0;

  // Called when the bytes of a Blob did not match its digest and were dropped, after its waiters ran,
  // on a verifier thread. Set once, before the first blob().
  virtual void on_dropped(std::function<void(const Digest&)> observer) = 0;

  // Every arriving blob fails with `error`; verifiers end; nothing is published any more. Idempotent.
  virtual void shutdown(Error error) = 0;
};

}  // namespace regfs::cache
