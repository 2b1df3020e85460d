// SPDX-License-Identifier: MIT
// What is behind a BlobStore. Held by the store and by every Blob, so that a Blob may outlive the store
// for a moment at the end of the program; after shutdown() its threads are gone and it only tidies up.
//
// Two verifier threads hash; one thread ("publish-0") does what may take seconds on a slow disk: fsync,
// rename, records of part files, counts of use. So an fsync never delays a reader. While blobs arrive, one more
// ("share-0") tells other processes of the same directory what has come, and learns of them; and now and then of what
// they have evicted. Lock order: the store's, then a Blob's; a Blob calls in with its lock released.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/timer.h"
#include "base/work_pool.h"
#include "cache/blob_impl.h"
#include "cache/layout.h"
#include "cache/part_shelf.h"
#include "cache/published.h"
#include "cache/room.h"
#include "cache/store.h"
#include "cache/usage.h"
#include "cache/verifier.h"

namespace regfs::cache {

class StoreCore : public BlobHost, public std::enable_shared_from_this<StoreCore> {
 public:
  // `directory` is prepared. `clock` and `log` outlive it and every Blob.
  StoreCore(std::shared_ptr<Disk> disk, std::shared_ptr<SmallFiles> small_files, const Layout& layout,
            const Clock& clock, Log& log, const StoreOptions& options);
  ~StoreCore() override { stop_threads(); }

  void sweep();  // once, before the first blob()
  const std::string& directory() const { return layout_.root(); }

  Result<std::shared_ptr<Blob>> blob(const Digest& digest, uint64_t size_bytes, std::optional<uint64_t> held_bytes);
  void count_need(const Blob& blob);
  std::optional<uint64_t> room_short_of(uint64_t bytes) { return room_.short_of(bytes); }
  uint64_t present_bytes(const Digest& digest, uint64_t size_bytes);
  std::shared_ptr<const void> pin(const Digest& digest) { return published_.pin(digest); }
  std::optional<std::string> document(const Digest& digest, uint64_t max_bytes);
  Result<void> put_document(const Digest& digest, const std::string& bytes);
  void on_dropped(std::function<void(const Digest&)> observer);
  void on_evicted(std::function<void(const std::vector<Digest>&)> observer);
  bool settle(std::chrono::milliseconds patience);
  void shutdown(const Error& error);

  const Clock& clock() const override { return clock_; }
  Result<void> take_room(uint64_t bytes) override { return room_.take(bytes); }
  Result<void> make_room(uint64_t bytes) override { return room_.make(bytes); }
  Result<PartShelf::Found> open_part(const Digest& digest, uint64_t size_bytes, bool lasting) override;
  void verify(std::shared_ptr<BlobImpl> blob) override;
  void checkpoint(std::shared_ptr<BlobImpl> blob) override;
  void publish(std::shared_ptr<BlobImpl> blob) override;
  void found_right(const Digest& digest, const DiskFile& file) override;
  void found_wrong(const Digest& digest, const DiskFile& file, const std::string& why) override;
  void dropped(const Digest& digest) override;
  void let_go(const Digest& digest, uint64_t size_bytes, Remains remains) override;

 private:
  // A digest has one Blob for each size somebody claims it has: until one of them is verified, nobody
  // knows which descriptor lies, and a lie must not be in the way of the truth.
  using Key = std::pair<Digest, uint64_t>;

  std::optional<Error> contradicted(const Key& key) const;
  // Waits for whoever opens or lets go of it; null when it is now up to the caller to open it.
  Result<std::shared_ptr<BlobImpl>> live_or_mine(const Key& key);
  Result<std::shared_ptr<BlobImpl>> make_blob(const Key& key, std::optional<uint64_t> held_bytes);
  // Both: whether the blob was begun with it.
  Result<bool> begin_from_published(BlobImpl& blob, const Key& key);
  Result<bool> begin_from_part(BlobImpl& blob, const Key& key);
  std::optional<Remains> take_resting(const Key& key);
  void lay_to_rest(const Key& key, const Remains& remains);
  void evicted(const std::vector<Evictor::Item>& items);
  void passed_budget();
  void exchange_later();
  void exchange_all();
  void watch_later();
  void watch();
  void stop_threads();

  const std::shared_ptr<Disk> disk_;
  const Layout layout_;
  const Withhold withhold_;
  const Clock& clock_;
  Log& log_;
  PartShelf parts_;
  Published published_;
  Room room_;
  UsageCounter usage_;

  mutable Mutex mutex_;
  CondVar changed_;
  // Expired: being opened or being let go by another thread, neither of which takes long; wait on changed_.
  std::map<Key, std::weak_ptr<BlobImpl>> blobs_ REGFS_GUARDED_BY(mutex_);
  std::map<Key, Remains> resting_ REGFS_GUARDED_BY(mutex_);      // let go, not yet recorded
  std::map<Key, uint64_t> part_bytes_ REGFS_GUARDED_BY(mutex_);  // in parts without a Blob
  std::function<void(const Digest&)> observer_ REGFS_GUARDED_BY(mutex_);
  std::function<void(const std::vector<Digest>&)> eviction_observer_ REGFS_GUARDED_BY(mutex_);
  std::optional<Error> shut_ REGFS_GUARDED_BY(mutex_);

  std::set<Digest> published_seen_ REGFS_GUARDED_BY(mutex_);  // when last watched
  bool exchanging_ REGFS_GUARDED_BY(mutex_) = false;          // a round is due

  Verifier verifier_;
  WorkPool publisher_;
  WorkPool sharer_;
  Timer timer_;
};

}  // namespace regfs::cache
