// SPDX-License-Identifier: MIT
#include "cache/room.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace regfs::cache {
namespace {

// Left to the rest of the machine, for a disk that runs full hurts more than a cache that does not grow.
constexpr int64_t kLeftOnDiskBytes = 1ll << 20;
// So much is made at once, as a part of the budget: one weighing of 10,000 files takes 20 ms.
constexpr uint64_t kMakeAtOnce = 32;

std::string mebibytes(uint64_t bytes) {
  return std::to_string(bytes >> 20) + " MiB";
}

}  // namespace

uint64_t default_cache_bytes(uint64_t filesystem_bytes) {
  uint64_t least = std::min(kLeastCacheBytes, filesystem_bytes / 2);
  return std::clamp(filesystem_bytes / 10, least, std::max(least, kMostDefaultCacheBytes));
}

uint64_t default_budget(const Disk& disk, const Layout& layout) {
  const Result<DiskSpace> space = disk.space(layout.root());
  return space ? default_cache_bytes(space->total_bytes) : kMostDefaultCacheBytes;
}

Room::Room(std::shared_ptr<Disk> disk, const Layout& layout, std::optional<uint64_t> budget_bytes, Evicted evicted,
           std::function<void()> passed)
    : disk_(disk), layout_(layout), evicted_(std::move(evicted)), passed_(std::move(passed)), evictor_(disk, layout) {
  budget_ = budget_bytes ? *budget_bytes : default_budget(*disk_, layout_);
}

std::optional<uint64_t> Room::short_of(uint64_t bytes) {
  uint64_t most = budget_;
  const Result<DiskSpace> space = disk_->space(layout_.root());
  if (space && space->free_bytes < bytes + kLeftOnDiskBytes) {
    MutexLock lock(mutex_);
    const uint64_t on_disk = space->free_bytes + total_allocated(evictor_.weigh());
    most = std::min(most, on_disk - std::min<uint64_t>(on_disk, kLeftOnDiskBytes));
  }
  if (most >= bytes) return std::nullopt;
  return most;
}

Result<void> Room::take(uint64_t bytes) {
  if ((left_ -= static_cast<int64_t>(bytes)) >= 0) return {};
  return weigh_and_make(bytes, false);
}

Result<void> Room::make(uint64_t bytes) {
  return weigh_and_make(bytes, true);
}

Result<void> Room::weigh_and_make(uint64_t bytes, bool disk_is_full) {
  std::vector<Evictor::Item> gone;
  std::optional<Error> error;
  bool passes = false;
  {
    MutexLock lock(mutex_);
    // Whoever had the lock before may have made room for us, too; our bytes are counted in what is left.
    if (!disk_is_full && left_ >= 0) return {};
    const auto wanted = static_cast<int64_t>(bytes);
    const auto at_once = static_cast<int64_t>(budget_ / kMakeAtOnce);
    std::vector<Evictor::Item> items = evictor_.weigh();
    Result<DiskSpace> space = disk_->space(layout_.root());
    // A full disk may lie about what is free (quotas, reserved blocks).
    int64_t on_disk = space ? static_cast<int64_t>(space->free_bytes) - kLeftOnDiskBytes : wanted + at_once;
    if (disk_is_full) on_disk = std::min<int64_t>(on_disk, 0);
    int64_t in_budget = static_cast<int64_t>(budget_) - static_cast<int64_t>(total_allocated(items));
    if (int64_t available = std::min(on_disk, in_budget); available < wanted) {
      gone = evictor_.evict(items, static_cast<uint64_t>(wanted - available + at_once));
      const auto freed = static_cast<int64_t>(total_allocated(gone));
      on_disk += freed;
      in_budget += freed;
    }
    const bool fits = in_budget >= wanted;
    passes = !std::exchange(over_budget_, !fits) && !fits;
    // Over the budget it is weighed often, lest it stays there when what is read has been let go.
    const int64_t available = fits ? std::min(on_disk, in_budget) : std::min(on_disk, wanted + at_once);
    left_ = std::max<int64_t>(available - wanted, 0);
    if (available < wanted) error = full(on_disk < 0 ? 0 : static_cast<uint64_t>(on_disk));
  }
  if (!gone.empty() && evicted_) evicted_(gone);
  if (error) return *error;
  if (passes && passed_) passed_();
  return {};
}

Error Room::full(uint64_t disk_free) const {
  return Error{std::make_error_code(std::errc::no_space_on_device),
               "the disk of the cache in " + layout_.root() + " is full (" + mebibytes(disk_free) +
                   " free), and everything in the cache is being read; make room there, or choose another place with "
                   "--cache-dir"};
}

}  // namespace regfs::cache
