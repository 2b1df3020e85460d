// SPDX-License-Identifier: MIT
// What a cache directory may still take in: the budget (--cache-size), and what the disk has left.
//
// Bytes are taken before they are written, on whatever thread writes them, and cost an atomic as long as there is
// room; then everything is weighed anew, and what was used least goes. Other processes that fill the same directory
// are seen only then, so that together they may pass the budget by what they take between two weighings. Owned by the
// store; safe to use from any thread.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "cache/evictor.h"

namespace regfs::cache {

// The least budget: every reader of a small machine still streams, with what its readahead wants.
inline constexpr uint64_t kLeastCacheBytes = 32ull << 20;
// The default: this, or a tenth of the filesystem, whichever is smaller; but not less than kLeastCacheBytes unless
// that is more than half of the filesystem.
inline constexpr uint64_t kMostDefaultCacheBytes = 20ull << 30;
uint64_t default_cache_bytes(uint64_t filesystem_bytes);
// Of the cache there, whose filesystem may not tell its size.
uint64_t default_budget(const Disk& disk, const Layout& layout);

class Room {
 public:
  using Evicted = std::function<void(const std::vector<Evictor::Item>&)>;

  // `evicted` hears of what had to go; `passed` each time that the budget begins to be passed. Both with no lock held.
  // nullopt: the default for the directory's filesystem.
  Room(std::shared_ptr<Disk> disk, const Layout& layout, std::optional<uint64_t> budget_bytes, Evicted evicted,
       std::function<void()> passed);

  uint64_t budget_bytes() const { return budget_; }

  // How much could be kept if all else went, when that is less than so many bytes. Weighs what there is only if the
  // disk has less left.
  std::optional<uint64_t> short_of(uint64_t bytes);

  // That many bytes are about to be written. What is being read is never removed, so the budget is passed while there
  // is more of it than that, which `passed` hears of. ENOSPC, with a sentence, when the disk is full of what cannot be
  // removed.
  Result<void> take(uint64_t bytes);
  // The disk said that it is full: makes room for that many bytes, if it can, whatever the budget allows.
  Result<void> make(uint64_t bytes);

 private:
  Result<void> weigh_and_make(uint64_t bytes, bool disk_is_full);
  Error full(uint64_t disk_free) const;

  const std::shared_ptr<Disk> disk_;
  const Layout layout_;
  const Evicted evicted_;
  const std::function<void()> passed_;
  uint64_t budget_ = 0;
  std::atomic<int64_t> left_{0};  // below 0: to be weighed anew

  Mutex mutex_;  // one weighing at a time
  Evictor evictor_ REGFS_GUARDED_BY(mutex_);
  bool over_budget_ REGFS_GUARDED_BY(mutex_) = false;
};

}  // namespace regfs::cache
