// SPDX-License-Identifier: MIT
// One open handle of an archive: reads at any offset, in any order, from any thread.
//
// What is readable now is answered on the calling thread. What is not waits without one: the read is
// parked, asks for its bytes, and is answered from the pool of replies once they are there, or cannot
// be had, or no byte came for the read timeout. Never a short answer before the end of the archive,
// never zeros in place of data.
//
// Owned by whoever holds the handle, and by calls under way. When the last lets go (RELEASE), the handle's part in the
// prefetch ends; reads that are parked stay, and are answered.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/timer.h"
#include "base/work_pool.h"
#include "fs/image_fetch.h"
#include "fs/read_reply.h"
#include "fs/read_sequence.h"

namespace regfs::fs {

// What every read of a mount uses. All must outlive the last read: a job left in `replies` when it stops dies unrun,
// and its reply with it.
struct ReadServices {
  WorkPool& replies;  // parked reads are finished here
  Timer& timer;
  const Clock& clock;
  Log& log;
  std::chrono::milliseconds read_timeout;  // without a byte for a read, over all attempts
};

class ImageFile {
 public:
  // `services` must outlive the file and its parked reads.
  ImageFile(std::shared_ptr<ImageFetch> fetch, const ReadServices& services);
  ~ImageFile();
  ImageFile(const ImageFile&) = delete;
  ImageFile& operator=(const ImageFile&) = delete;

  uint64_t size_bytes() const { return fetch_->archive().layout.size_bytes(); }

  // Returns at once, answered or parked. May read the disk, never waits for the network. Beyond the end: no bytes.
  void read(uint64_t offset, size_t length, std::unique_ptr<ReadReply> reply);

 private:
  void follow(const std::vector<Slice>& slices, uint64_t offset);

  const std::shared_ptr<ImageFetch> fetch_;
  const ReadServices& services_;
  Mutex mutex_;
  ReadSequence sequence_ REGFS_GUARDED_BY(mutex_);
};

}  // namespace regfs::fs
