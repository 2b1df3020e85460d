// SPDX-License-Identifier: MIT
// Counts the bytes of blobs that come from registries: what was not counted was in the cache.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "base/digest.h"
#include "base/mutex.h"
#include "fs/blob_source.h"

namespace regfs {

// How much of each blob was received. Safe to use from any thread.
class ReceivedBytes {
 public:
  void received(const Digest& digest, uint64_t bytes);
  // What was received so far; another image begins.
  void forget();

  uint64_t of(const Digest& digest) const;  // 0 of one that was complete in the cache

 private:
  mutable Mutex mutex_;
  std::map<Digest, uint64_t> bytes_ REGFS_GUARDED_BY(mutex_);
};

// Hands everything on to `source`, which must outlive it.
class CountedSource : public fs::BlobSource {
 public:
  CountedSource(fs::BlobSource& source, std::shared_ptr<ReceivedBytes> count)
      : source_(source), count_(std::move(count)) {}

  DownloadId download(registry::BlobRange range, std::shared_ptr<registry::BodySink> sink) override;
  void cancel(DownloadId id) override { source_.cancel(id); }

 private:
  fs::BlobSource& source_;
  const std::shared_ptr<ReceivedBytes> count_;
};

}  // namespace regfs
