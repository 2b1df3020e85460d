// SPDX-License-Identifier: MIT
// The threads that hash what arrives ("verify-0", "verify-1"): behind the contiguous front, read back
// from the page cache, so that the http thread never computes a digest.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "base/log.h"
#include "base/sha256.h"
#include "base/work_pool.h"
#include "cache/disk.h"

namespace regfs::cache {

class Verifier {
 public:
  // Two threads hash 3 GB/s with SHA instructions and 0.7 GB/s without: more than a network brings.
  static constexpr size_t kThreads = 2;
  // Work between two looks at the queue: many blobs take turns, and stop() waits for no more than this.
  static constexpr uint64_t kStepBytes = 4ull << 20;

  // Something with bytes to be hashed. One thread at a time calls it.
  class Subject {
   public:
    virtual ~Subject() = default;
    // Hashes at most kStepBytes; true when it wants to be called again.
    virtual bool verify_step() = 0;
  };

  explicit Verifier(Log& log) : pool_("verify", kThreads, kThreads, log) {}

  // Calls verify_step() until it returns false, in turn with others. Keeps the subject alive meanwhile.
  void follow(std::shared_ptr<Subject> subject);
  bool drain(std::chrono::milliseconds patience) { return pool_.drain(patience); }  // as WorkPool's
  void stop() { pool_.stop(); }

 private:
  WorkPool pool_;
};

// Feeds [begin, end) of the file to `hash`.
Result<void> hash_range(const DiskFile& file, uint64_t begin, uint64_t end, Sha256& hash);
// The digest of [begin, end); `hashed` hears of each piece of at most kStepBytes.
Result<Digest> digest_of(const DiskFile& file, uint64_t begin, uint64_t end,
                         const std::function<void(uint64_t bytes)>& hashed);

}  // namespace regfs::cache
