// SPDX-License-Identifier: MIT
// The store as its Blobs see it: what StoreCore does on their behalf.
#include <algorithm>
#include <iterator>

#include "cache/store_core.h"

namespace regfs::cache {

namespace {

// How long bytes that one process brings stay unknown to another that waits for them.
constexpr std::chrono::milliseconds kExchangeInterval{100};
// How long a mount goes on saying that something is local which another process has evicted.
constexpr std::chrono::seconds kWatchInterval{5};
// How much of what was counted a process may lose that is killed.
constexpr std::chrono::seconds kUsageInterval{2};

}  // namespace

Result<PartShelf::Found> StoreCore::open_part(const Digest& digest, uint64_t size_bytes, bool lasting) {
  {
    MutexLock lock(mutex_);
    if (shut_) return *shut_;
  }
  return lasting ? parts_.open(digest, size_bytes) : parts_.create_spare(digest, size_bytes);
}

void StoreCore::verify(std::shared_ptr<BlobImpl> blob) {
  verifier_.follow(std::move(blob));
}

void StoreCore::checkpoint(std::shared_ptr<BlobImpl> blob) {
  publisher_.submit([blob = std::move(blob)] { blob->record_part(); });
}

void StoreCore::publish(std::shared_ptr<BlobImpl> blob) {
  publisher_.submit([this, blob = std::move(blob)] {
    std::shared_ptr<PartFile> part = blob->part_to_publish();
    if (!part) return;
    Result<void> published = published_.publish(blob->digest(), *part);
    if (published) {
      blob->published(part);
    } else {
      log_.failure(blob->digest().str() + " cannot be kept in the cache: " + published.error().context());
    }
  });
}

void StoreCore::found_right(const Digest& digest, const DiskFile& file) {
  (void)published_.seal(digest, file);  // without a seal it is verified once more
}

void StoreCore::found_wrong(const Digest& digest, const DiskFile& file, const std::string& why) {
  published_.drop(digest, file);
  log_.warning("the cached " + digest.str() + " was damaged and is dropped: " + why);
}

void StoreCore::dropped(const Digest& digest) {
  std::function<void(const Digest&)> observer;
  {
    MutexLock lock(mutex_);
    observer = observer_;
  }
  if (observer) observer(digest);
}

void StoreCore::evicted(const std::vector<Evictor::Item>& items) {
  std::function<void(const std::vector<Digest>&)> observer;
  std::vector<Digest> digests;
  uint64_t bytes = 0;
  {
    MutexLock lock(mutex_);
    for (const Evictor::Item& item : items) {
      if (item.part) part_bytes_.erase({item.digest, item.size_bytes});
      digests.push_back(item.digest);
      bytes += item.allocated_bytes;
    }
    observer = eviction_observer_;
  }
  log_.info("evicted " + std::to_string(items.size()) + " blobs from the cache, " + std::to_string(bytes >> 20) +
            " MiB");
  if (observer) observer(digests);
}

void StoreCore::passed_budget() {
  log_.warning("the cache in " + layout_.root() + " grows over " + std::to_string(room_.budget_bytes() >> 20) +
               " MiB (--cache-size) while more than that is being read");
}

// --- other processes ---

void StoreCore::exchange_later() {
  {
    MutexLock lock(mutex_);
    if (exchanging_ || shut_) return;
    exchanging_ = true;
  }
  timer_.after(kExchangeInterval, [weak = weak_from_this()] {
    if (std::shared_ptr<StoreCore> self = weak.lock()) {
      self->sharer_.submit([core = self.get()] { core->exchange_all(); });
    }
  });
}

void StoreCore::exchange_all() {
  std::vector<std::shared_ptr<BlobImpl>> live;
  {
    MutexLock lock(mutex_);
    exchanging_ = false;
    for (const auto& [key, blob] : blobs_) {
      if (std::shared_ptr<BlobImpl> held = blob.lock()) live.push_back(std::move(held));
    }
  }
  bool arriving = false;
  for (const std::shared_ptr<BlobImpl>& blob : live) arriving = blob->exchange_with_others() || arriving;
  if (arriving) exchange_later();
}

void StoreCore::watch_later() {
  timer_.after(kWatchInterval, [weak = weak_from_this()] {
    if (std::shared_ptr<StoreCore> self = weak.lock()) {
      self->sharer_.submit([core = self.get()] { core->watch(); });
    }
  });
}

// What was published and is not there any more, and was not evicted here, another process has evicted.
void StoreCore::watch() {
  std::set<Digest> now;
  for (const Digest& digest : digests_in(*disk_, layout_.blobs_directory())) now.insert(digest);
  std::vector<Digest> gone;
  std::function<void(const std::vector<Digest>&)> observer;
  {
    MutexLock lock(mutex_);
    if (shut_) return;
    std::set_difference(published_seen_.begin(), published_seen_.end(), now.begin(), now.end(),
                        std::back_inserter(gone));
    published_seen_ = std::move(now);
    observer = eviction_observer_;
  }
  if (!gone.empty() && observer) observer(gone);
  watch_later();
}

// --- what it is good for ---

void StoreCore::count_need(const Blob& blob) {
  // What is verified again is here too, and nearly always proves right.
  const uint64_t present = blob.present_bytes();
  const bool hit = blob.complete() || present == blob.size_bytes();
  if (!usage_.count({hit ? 1u : 0u, hit ? 0u : 1u, present})) return;
  timer_.after(kUsageInterval, [weak = weak_from_this()] {
    if (std::shared_ptr<StoreCore> self = weak.lock()) {
      self->publisher_.submit([core = self.get()] { core->usage_.store(); });
    }
  });
}

// --- what is left of a Blob ---

void StoreCore::let_go(const Digest& digest, uint64_t size_bytes, Remains remains) {
  Key key{digest, size_bytes};
  bool keep = remains.part && remains.part->resumable() && !remains.present.empty();
  // Before anybody can open the digest again and would find it in the way.
  if (remains.part && !keep) remains.part->discard_unless_shared();
  bool shut = false;
  {
    MutexLock lock(mutex_);
    shut = shut_.has_value();
    part_bytes_.erase(key);
    if (keep) part_bytes_[key] = remains.present.total();
    if (keep && !shut) resting_[key] = remains;
    blobs_.erase(key);
    changed_.notify_all();
  }
  if (!keep) return;
  if (shut) {
    (void)remains.part->record(remains.present, PartFile::Sync::no);
  } else {
    publisher_.submit([this, key, remains] { lay_to_rest(key, remains); });
  }
}

std::optional<Remains> StoreCore::take_resting(const Key& key) {
  MutexLock lock(mutex_);
  auto it = resting_.find(key);
  if (it == resting_.end()) return std::nullopt;
  Remains remains = std::move(it->second);
  resting_.erase(it);
  return remains;
}

void StoreCore::lay_to_rest(const Key& key, const Remains& remains) {
  Result<IntervalSet> recorded = remains.part->record(remains.present, PartFile::Sync::yes);
  {
    MutexLock lock(mutex_);
    auto it = resting_.find(key);
    if (it == resting_.end() || it->second.part != remains.part) return;  // somebody goes on with it
    resting_.erase(it);
    if (!recorded) part_bytes_.erase(key);
  }
  // Nobody could resume it: a full disk is better off without.
  if (!recorded) remains.part->discard_unless_shared();
}

}  // namespace regfs::cache
