// SPDX-License-Identifier: MIT
// Brings the bytes of layers into the cache: what a reader waits for first, then ahead of whoever reads
// in sequence.
//
// Before a prefetch runs, a demand brings a window of 256 KiB around it; after, layers come concurrently
// and large ones as parallel ranges, from the reader's position on. What a reader waits for always goes
// first and always owns a slot: when all are taken, a transfer that nobody waits for is cancelled, and
// what came of it is kept. No byte is asked for twice, however many images and handles want it.
//
// Owned by Mount; safe to use from any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/timer.h"
#include "base/work_pool.h"
#include "cache/store.h"
#include "fs/blob_source.h"
#include "fs/image_archive.h"
#include "fs/image_fetch.h"
#include "registry/reference.h"

namespace regfs::fs {

// Requests at once; a zero counts as one.
struct FetchLimits {
  size_t per_image = 16;  // --max-concurrent-downloads
  size_t per_mount = 64;
};

class FetchPlanner;

class Fetcher {
 public:
  // All must outlive the fetcher and every ImageFetch and ImageSource. `pool` opens blobs ahead of the
  // prefetch, which touches the disk.
  Fetcher(BlobSource& source, cache::BlobStore& store, WorkPool& pool, Timer& timer, const Clock& clock, Log& log,
          FetchLimits limits = {});
  ~Fetcher();  // shutdown()
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  // For the handles of one image to share. `repository` is where its layers are asked for; `name` is for the log.
  // Asks for nothing yet; touches the disk, to keep what is cached of it from being evicted.
  std::shared_ptr<ImageFetch> open(std::shared_ptr<const ImageArchive> archive, registry::Repository repository,
                                   std::string name);

  // Cancels every transfer and ignores every later demand. Whoever waits is answered by the store's
  // shutdown. Idempotent.
  void shutdown();

 private:
  cache::BlobStore& store_;
  const std::shared_ptr<FetchPlanner> planner_;
};

}  // namespace regfs::fs
