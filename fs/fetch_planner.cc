// SPDX-License-Identifier: MIT
#include "fs/fetch_planner.h"

#include <algorithm>
#include <utility>

#include "fs/demand_window.h"
#include "fs/fetch_orders.h"

namespace regfs::fs {
FetchPlanner::FetchPlanner(BlobSource& source, WorkPool& pool, Timer& timer, const Clock& clock, Log& log,
                           FetchLimits limits)
    : source_(source),
      pool_(pool),
      timer_(timer),
      clock_(clock),
      log_(log),
      limits_{std::max<size_t>(limits.per_image, 1), std::max<size_t>(limits.per_mount, 1)} {}

template <typename Step>
void FetchPlanner::unfailing(Step step) noexcept {
  try {
    step();
  } catch (const std::exception& error) {
    log_.internal_error("what is to be fetched next", error);
    MutexLock lock(mutex_);
    starving_ = true;
  }
}

Demand FetchPlanner::add_demand(std::shared_ptr<FetchImage> image, size_t layer, std::shared_ptr<cache::Blob> blob,
                                const cache::ByteRange& range) {
  const cache::ByteRange need = blob->needed_for(range);
  Demand made;  // first, so that it ends after the lock if something is thrown
  Orders orders(*this);
  MutexLock lock(mutex_);
  if (stopping_) return made;
  const uint64_t id = next_id_++;
  const auto [entry, added] = demands_.emplace(id, Waiting{std::move(image), layer, std::move(blob), range, need});
  made = Demand(shared_from_this(), id);
  // The 64th reader of one cold range finds it on its way, and changes nothing.
  const Waiting& demand = entry->second;
  const bool comes = demand.blob->covered(need.offset, need.length) && is_served(demand, true);
  if (!comes || far_behind(demand)) decide(orders);
  lock.unlock();
  carry_out(orders);
  review_later();  // another process may bring it, and end before it has
  return made;
}

void FetchPlanner::remove_demand(uint64_t id) noexcept {
  unfailing([&]() REGFS_NO_THREAD_SAFETY_ANALYSIS {
    Orders orders(*this);
    MutexLock lock(mutex_);
    auto ended = demands_.extract(id);
    cancel_orphans(orders);
    if (starving_) decide(orders);
    lock.unlock();
    carry_out(orders);
  });
}

void FetchPlanner::prefetch_from(const std::shared_ptr<FetchImage>& image, size_t layer, uint64_t offset) {
  std::vector<uint64_t> layer_bytes;
  for (const registry::Descriptor& descriptor : image->blobs->archive().blobs) {
    layer_bytes.push_back(descriptor.size_bytes);
  }
  std::vector<LayerSpan> order = prefetch_order(layer_bytes, layer, offset, image->blobs->ahead_bytes());
  Orders orders(*this);
  MutexLock lock(mutex_);
  if (stopping_ || !image->open || order.empty()) return;
  if (image->order.empty()) prefetching_.push_back(image);
  image->order = std::move(order);
  image->unopenable.clear();
  decide(orders);
  lock.unlock();
  carry_out(orders);
}

void FetchPlanner::close(const std::shared_ptr<FetchImage>& image) noexcept {
  unfailing([&]() REGFS_NO_THREAD_SAFETY_ANALYSIS {
    Orders orders(*this);
    MutexLock lock(mutex_);
    image->open = false;
    image->order.clear();
    std::erase(prefetching_, image);
    cancel_orphans(orders);
    lock.unlock();
    carry_out(orders);
  });
}

void FetchPlanner::transfer_began(uint64_t number, uint64_t attempt, bool sends_all) {
  Orders orders(*this);
  MutexLock lock(mutex_);
  const auto entry = running_.find(number);
  if (entry == running_.end() || stopping_) return;
  Running& transfer = entry->second;
  if (attempt != transfer.attempt) return;  // it has broken off since
  Flow& flow = flows_.at(transfer.blob.get());
  transfer.flowing = clock_.now();
  transfer.flowing_from = transfer.transfer->reached();
  transfer.pausing = false;
  if (!flow.shaken) ++flow.proofs;
  flow.sends_all = flow.sends_all || sends_all;
  if (sends_all && !transfer.cancelling) {
    transfer.range = {0, transfer.blob->size_bytes()};
    cancel_others_of(transfer, orders);
  }
  decide(orders);
  lock.unlock();
  carry_out(orders);
}

void FetchPlanner::transfer_interrupted(uint64_t number) noexcept {
  unfailing([&]() REGFS_NO_THREAD_SAFETY_ANALYSIS {
    Orders orders(*this);
    MutexLock lock(mutex_);
    const auto entry = running_.find(number);
    if (entry == running_.end()) return;
    Running& transfer = entry->second;
    transfer.flowing.reset();
    ++transfer.attempt;
    transfer.pausing = true;
    Flow& flow = flows_.at(transfer.blob.get());
    flow.proofs = 0;
    flow.shaken = true;
    flow.asked_at = clock_.now();
    // One that tries again is enough to learn when the registry is back, best one that a reader waits for; what the
    // others have brought is kept.
    const auto another = std::find_if(running_.begin(), running_.end(), [&](const auto& each) {
      return each.first != number && each.second.blob == transfer.blob && each.second.pausing &&
             !each.second.cancelling;
    });
    if (another != running_.end()) {
      const bool better = is_demanded(transfer) && !is_demanded(another->second);
      cancel(better ? another->second : transfer, orders);
    }
    lock.unlock();
    carry_out(orders);
  });
}

void FetchPlanner::transfer_ended(uint64_t number, Result<void> outcome) noexcept {
  unfailing([&]() REGFS_NO_THREAD_SAFETY_ANALYSIS {
    Orders orders(*this);
    MutexLock lock(mutex_);
    auto node = running_.extract(number);
    REGFS_CHECK(!node.empty(), "a transfer ended twice");
    const Running& ended = node.mapped();
    --ended.image->running;
    const auto flow = flows_.find(ended.blob.get());
    if (outcome && !ended.cancelling) {
      flow->second.proofs = std::max<size_t>(flow->second.proofs, 1);
      flow->second.shaken = false;
    }
    if (--flow->second.transfers == 0) flows_.erase(flow);
    if (!outcome && !ended.cancelling && !stopping_) {
      lock.unlock();
      ended.blob->fail(std::move(outcome).take_error());
      lock.lock();
      // Of a blob that cannot be had nobody waits for the rest; and a failure of theirs, coming late, would spoil the
      // next try.
      cancel_others_of(ended, orders);
    }
    decide(orders);
    lock.unlock();
    carry_out(orders);
  });
}

void FetchPlanner::shutdown() {
  Orders orders(*this);
  std::vector<std::shared_ptr<FetchImage>> images;
  MutexLock lock(mutex_);
  stopping_ = true;
  images.swap(prefetching_);
  for (auto& [number, transfer] : running_) cancel(transfer, orders);
  lock.unlock();
  carry_out(orders);
}

void FetchPlanner::carry_out(Orders& orders) {
  if (!orders.starts.empty()) review_later();
  for (Orders::Start& start : orders.starts) {
    if (log_.debugs()) {
      log_.debug(layer_name(start.image->blobs->archive(), start.image->blobs->name(), start.layer) + ": asking for " +
                 std::to_string(start.range.length) + " bytes from " + std::to_string(start.range.offset));
    }
    const BlobSource::DownloadId id =
        source_.download(start.image->blobs->request(start.layer, start.range), start.transfer);
    start.transfer.reset();
    MutexLock lock(mutex_);
    const auto entry = running_.find(start.number);
    if (entry == running_.end()) continue;  // ended already
    entry->second.download = id;
    if (entry->second.cancelling) orders.cancels.push_back(id);
  }
  for (const BlobSource::DownloadId id : orders.cancels) source_.cancel(id);
  for (Orders::Open& open : orders.opens) {
    pool_.submit(
        [self = shared_from_this(), image = open.image, layer = open.layer] { self->open_for_prefetch(image, layer); });
    open.image.reset();
  }
}

void FetchPlanner::give_up(Orders& orders) noexcept {
  for (Orders::Start& start : orders.starts) {
    if (!start.transfer) continue;
    start.transfer->give_up();
    {
      MutexLock lock(mutex_);
      const auto node = running_.extract(start.number);
      if (!node.empty()) {
        --node.mapped().image->running;
        --flows_.at(node.mapped().blob.get()).transfers;
      }
      std::erase_if(flows_, [](const auto& flow) { return flow.second.transfers == 0; });
      starving_ = true;
    }
    unfailing([&] {
      if (const auto blob = start.image->blobs->opened(start.layer)) {
        blob->fail(Error(std::make_error_code(std::errc::not_enough_memory), "out of memory"));
      }
    });
  }
  MutexLock lock(mutex_);
  for (const Orders::Open& open : orders.opens) {
    if (open.image) open.image->opening.erase(open.layer);
  }
}

void FetchPlanner::review_later() {
  {
    MutexLock lock(mutex_);
    if (reviewing_ || stopping_ || (running_.empty() && demands_.empty())) return;
    reviewing_ = true;
  }
  try {
    timer_.after(kReviewInterval, [weak = weak_from_this()] {
      const std::shared_ptr<FetchPlanner> self = weak.lock();
      if (!self) return;
      {
        MutexLock lock(self->mutex_);
        self->reviewing_ = false;
      }
      self->pool_.submit([self] { self->review(); });
    });
  } catch (const std::exception&) {
    MutexLock lock(mutex_);
    reviewing_ = false;
    throw;
  }
}

void FetchPlanner::review() {
  Orders orders(*this);
  MutexLock lock(mutex_);
  trust_steady_flows();
  decide(orders);
  lock.unlock();
  carry_out(orders);
  review_later();
}

void FetchPlanner::open_for_prefetch(const std::shared_ptr<FetchImage>& image, size_t layer) {
  bool opened = false;
  unfailing([&] {
    const Result<std::shared_ptr<cache::Blob>> blob = image->blobs->open(layer);
    opened = blob.has_value();
    if (!blob && log_.debugs()) {
      log_.debug(layer_name(image->blobs->archive(), image->blobs->name(), layer) +
                 ": left out of the prefetch: " + blob.error().context());
    }
  });
  Orders orders(*this);
  MutexLock lock(mutex_);
  image->opening.erase(layer);
  if (!opened) image->unopenable.insert(layer);
  decide(orders);
  lock.unlock();
  carry_out(orders);
}

}  // namespace regfs::fs
