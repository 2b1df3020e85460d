// SPDX-License-Identifier: MIT
// The source of bytes of a mount that asks nobody (--offline): what the cache lacks cannot be had.
#pragma once

#include <atomic>
#include <memory>

#include "base/work_pool.h"
#include "fs/blob_source.h"

namespace regfs::fs {

class OfflineSource : public BlobSource {
 public:
  // `pool` must outlive it; the sinks hear there.
  explicit OfflineSource(WorkPool& pool) : pool_(pool) {}

  DownloadId download(registry::BlobRange range, std::shared_ptr<registry::BodySink> sink) override {
    pool_.submit([digest = range.digest, sink = std::move(sink)] {
      sink->finished(
          Error(Errc::unreachable,
                digest.str() + " is not in the cache, or not all of it, and no registry is asked (--offline)"));
    });
    return next_++;
  }
  void cancel(DownloadId) override {}  // it is about to hear anyway

 private:
  WorkPool& pool_;
  std::atomic<DownloadId> next_{1};
};

}  // namespace regfs::fs
