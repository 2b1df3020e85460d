// SPDX-License-Identifier: MIT
// Decides what is fetched next, over all images of a mount, and keeps the list of what is under way.
//
// One mutex makes every decision, and claims the bytes of a request before it leaves; so no byte is
// asked for twice. Requests, cancellations, failures and jobs leave after it is unlocked, as Orders.
// Whenever something ends, everything is decided anew: first what readers wait for, oldest first, then
// the prefetch of the images in use, the least served first; slots that are left share what is under way.
// Where there is no memory for that, a request that cannot leave fails, and its readers with it; no slot is lost.
//
// Of a blob one transfer goes ahead, and two more join for each that has brought a byte: a registry that refuses is
// not asked by all at once, and of one that sends all of a blob whatever is asked for, one transfer is enough.
//
// Owned jointly by the Fetcher, the images, the demands and the transfers. Safe to use from any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/timer.h"
#include "base/work_pool.h"
#include "cache/blob.h"
#include "fs/blob_source.h"
#include "fs/blob_transfer.h"
#include "fs/fetcher.h"
#include "fs/image_blobs.h"
#include "fs/image_fetch.h"
#include "fs/prefetch_plan.h"

namespace regfs::fs {

// How often everything is decided anew while something is under way or waited for, for what only time brings.
inline constexpr std::chrono::milliseconds kReviewInterval{500};
// How long layers further on leave free slots to one whose first byte is awaited.
inline constexpr std::chrono::milliseconds kHeadStart{300};
// After an interruption a transfer that comes for so long shows that the registry is back: until then resets that let
// a little through each time would look like a registry at work, to be asked by all.
inline constexpr std::chrono::milliseconds kSteadyAfter{500};
// How long the first transfer of a blob goes alone without a byte before another is tried beside it: a connection may
// hang where a second one would not.
inline constexpr std::chrono::seconds kPioneerPatience{3};
// A reader that waits for bytes further ahead of their transfer than this gets one of its own.
inline constexpr uint64_t kFarAheadBytes = 4ull << 20;
// What is left of a transfer is split for a free slot when it would take longer than this at its own speed, which is
// known after the second …
inline constexpr std::chrono::milliseconds kWorthSplitting{1'000};
inline constexpr std::chrono::milliseconds kSpeedKnownAfter{500};
// … and if there is enough of it: another request, and the connection that ends early, cost more than they bring.
inline constexpr uint64_t kSmallestSplitBytes = 1ull << 20;

// An image as the planner sees it. Apart from `blobs` only the planner touches it, under its mutex.
struct FetchImage {
  explicit FetchImage(std::shared_ptr<ImageBlobs> of) : blobs(std::move(of)) {}

  const std::shared_ptr<ImageBlobs> blobs;
  bool open = true;              // some handle is
  std::vector<LayerSpan> order;  // of the prefetch; empty while none runs
  std::set<size_t> opening;      // layers whose blob is being opened for the prefetch
  std::set<size_t> unopenable;   // left out of the prefetch until it moves on
  size_t running = 0;            // transfers that were started for it
};

class FetchPlanner : public std::enable_shared_from_this<FetchPlanner> {
 public:
  FetchPlanner(BlobSource& source, WorkPool& pool, Timer& timer, const Clock& clock, Log& log, FetchLimits limits);

  WorkPool& pool() { return pool_; }

  // Empty when the mount is going away. The range is inside the blob, which is the layer's.
  Demand add_demand(std::shared_ptr<FetchImage> image, size_t layer, std::shared_ptr<cache::Blob> blob,
                    const cache::ByteRange& range);
  void remove_demand(uint64_t id) noexcept;

  void prefetch_from(const std::shared_ptr<FetchImage>& image, size_t layer, uint64_t offset);
  // No handle is open any more: no prefetch, and what serves nobody is cancelled.
  void close(const std::shared_ptr<FetchImage>& image) noexcept;

  // From a BlobTransfer: an attempt brings its first byte, or it pauses before the next.
  void transfer_began(uint64_t number, uint64_t attempt, bool sends_all);
  void transfer_interrupted(uint64_t number) noexcept;
  // And once its claim is let go.
  void transfer_ended(uint64_t number, Result<void> outcome) noexcept;

  void shutdown();

 private:
  struct Waiting {  // a demand
    std::shared_ptr<FetchImage> image;
    size_t layer;
    std::shared_ptr<cache::Blob> blob;
    cache::ByteRange asked;
    cache::ByteRange need;  // what must be present before `asked` can be read
  };
  struct Running {  // a transfer
    std::shared_ptr<FetchImage> image;
    size_t layer;
    std::shared_ptr<cache::Blob> blob;
    cache::ByteRange range;
    std::shared_ptr<BlobTransfer> transfer;
    std::optional<BlobSource::DownloadId> download;               // unknown until download() has returned
    bool cancelling = false;                                      // holds its slot until it has ended
    std::optional<Monotonic::time_point> flowing = std::nullopt;  // since its attempt brought a byte
    uint64_t flowing_from = 0;                                    // which byte that was
    uint64_t attempt = 0;
    bool pausing = false;  // before its next attempt
  };
  // What is known of how a blob comes, while a transfer of it runs.
  struct Flow {
    size_t transfers = 0;
    Monotonic::time_point asked_at;  // without a byte since then
    size_t proofs = 0;               // transfers that have brought a byte since the last interruption
    bool shaken = false;             // interrupted, and no transfer has ended well or come steadily since
    bool sends_all = false;          // a piece cannot be had
  };
  struct Orders;
  struct PrefetchCursor;

  void decide(Orders& orders) REGFS_REQUIRES(mutex_);
  void trust_steady_flows() REGFS_REQUIRES(mutex_);
  // Every reader that waits gets one transfer before any gets a second.
  void serve_demands(Orders& orders) REGFS_REQUIRES(mutex_);
  void serve_more(Orders& orders) REGFS_REQUIRES(mutex_);
  void free_slots_for(const std::vector<const Waiting*>& starving, Orders& orders) REGFS_REQUIRES(mutex_);
  void prefetch(Orders& orders) REGFS_REQUIRES(mutex_);
  bool prefetch_next(PrefetchCursor& cursor, Orders& orders) REGFS_REQUIRES(mutex_);
  void cancel_orphans(Orders& orders) REGFS_REQUIRES(mutex_);

  // The transfer that is to bring what the reader waits for, when that is far behind what it brings now; else null.
  Running* far_behind(const Waiting& demand) REGFS_REQUIRES(mutex_);
  void split_for(const Waiting& demand) REGFS_REQUIRES(mutex_);
  void split_tails(const std::shared_ptr<FetchImage>& image, Orders& orders) REGFS_REQUIRES(mutex_);

  bool lacks_bytes(Waiting& demand) REGFS_REQUIRES(mutex_);
  // Whether the first byte of the blob may still come any moment.
  bool is_awaited(const cache::Blob& blob) const REGFS_REQUIRES(mutex_);
  bool is_slow(const Running& transfer, uint64_t left) const REGFS_REQUIRES(mutex_);
  bool may_start(const cache::Blob& blob) const REGFS_REQUIRES(mutex_);
  // A reader need not wait for the first byte of a transfer that nobody waits for.
  bool may_start_for(const Waiting& demand) const REGFS_REQUIRES(mutex_);
  bool is_served(const Waiting& demand, bool by_cancelled_too) const REGFS_REQUIRES(mutex_);
  // Whether bytes that the reader waits for are still to come by this transfer.
  bool brings_to(const Running& transfer, const Waiting& demand) const REGFS_REQUIRES(mutex_);
  bool has_slot(const FetchImage& image) const REGFS_REQUIRES(mutex_);
  bool is_demanded(const Running& transfer) const REGFS_REQUIRES(mutex_);
  bool is_wanted(const Running& transfer) const REGFS_REQUIRES(mutex_);
  bool start(const std::shared_ptr<FetchImage>& image, size_t layer, std::optional<cache::Claim> claim, Orders& orders)
      REGFS_REQUIRES(mutex_);
  static void cancel(Running& transfer, Orders& orders);

  void cancel_others_of(const Running& transfer, Orders& orders) REGFS_REQUIRES(mutex_);

  void carry_out(Orders& orders) REGFS_EXCLUDES(mutex_);
  // Ends the transfers that could not leave, and lets who waits for their blobs know.
  void give_up(Orders& orders) noexcept REGFS_EXCLUDES(mutex_);
  // What must not fail, though there be no memory for it: what is left undone is decided at the next occasion.
  template <typename Step>
  void unfailing(Step step) noexcept REGFS_EXCLUDES(mutex_);
  void review_later() REGFS_EXCLUDES(mutex_);
  void review() REGFS_EXCLUDES(mutex_);
  void open_for_prefetch(const std::shared_ptr<FetchImage>& image, size_t layer) REGFS_EXCLUDES(mutex_);

  BlobSource& source_;
  WorkPool& pool_;
  Timer& timer_;
  const Clock& clock_;
  Log& log_;
  const FetchLimits limits_;

  Mutex mutex_;
  bool stopping_ REGFS_GUARDED_BY(mutex_) = false;
  bool reviewing_ REGFS_GUARDED_BY(mutex_) = false;  // a review is due
  bool starving_ REGFS_GUARDED_BY(mutex_) = false;   // a demand has to wait for a slot, or for another transfer
  uint64_t next_id_ REGFS_GUARDED_BY(mutex_) = 1;
  std::map<uint64_t, Waiting> demands_ REGFS_GUARDED_BY(mutex_);  // oldest first
  std::map<uint64_t, Running> running_ REGFS_GUARDED_BY(mutex_);  // oldest first
  std::map<const cache::Blob*, Flow> flows_ REGFS_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<FetchImage>> prefetching_ REGFS_GUARDED_BY(mutex_);
};

}  // namespace regfs::fs
