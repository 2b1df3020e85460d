// SPDX-License-Identifier: MIT
// The decisions of FetchPlanner, all of them with its mutex held; what happens and what follows is in fetch_planner.cc.
#include <algorithm>
#include <utility>

#include "fs/claim_gap.h"
#include "fs/demand_window.h"
#include "fs/fetch_orders.h"
#include "fs/fetch_planner.h"
#include "fs/slot_victims.h"

namespace regfs::fs {

void FetchPlanner::decide(Orders& orders) {
  if (stopping_) return;
  serve_demands(orders);
  prefetch(orders);
}

void FetchPlanner::trust_steady_flows() {
  const Monotonic::time_point now = clock_.now();
  for (const auto& [number, running] : running_) {
    Flow& flow = flows_.at(running.blob.get());
    if (!flow.shaken || !running.flowing || now - *running.flowing < kSteadyAfter) continue;
    flow.shaken = false;
    flow.proofs = 1;
  }
}

void FetchPlanner::serve_demands(Orders& orders) {
  std::vector<const Waiting*> unserved;
  for (auto& [id, demand] : demands_) {
    if (!lacks_bytes(demand) && !is_served(demand, true)) continue;
    if (has_slot(*demand.image)) split_for(demand);
    if (lacks_bytes(demand) && !is_served(demand, false)) unserved.push_back(&demand);
  }
  // An image with nothing on its way comes first: a slot that was freed for it must not go back to where it came from.
  std::stable_partition(unserved.begin(), unserved.end(),
                        [](const Waiting* demand) { return demand->image->running == 0; });
  std::vector<const Waiting*> starving;
  size_t waiting = 0;
  for (const Waiting* demand : unserved) {
    if (demand->blob->covered(demand->need.offset, demand->need.length)) continue;  // by a transfer of this round
    if (!may_start_for(*demand)) {
      ++waiting;
      continue;
    }
    if (!has_slot(*demand->image)) {
      starving.push_back(demand);
      continue;
    }
    start(demand->image, demand->layer,
          claim_demanded(*demand->blob, demand->asked, demand->need, !demand->image->order.empty(), limits_.per_image),
          orders);
  }
  serve_more(orders);
  free_slots_for(starving, orders);
  starving_ = starving_ || waiting > 0;
}

void FetchPlanner::serve_more(Orders& orders) {
  std::vector<Waiting*> lacking;
  for (auto& [id, demand] : demands_) {
    if (lacks_bytes(demand)) lacking.push_back(&demand);
  }
  while (!lacking.empty()) {
    std::erase_if(lacking, [&](Waiting* demand) REGFS_NO_THREAD_SAFETY_ANALYSIS {
      return !has_slot(*demand->image) || !may_start(*demand->blob) ||
             !start(demand->image, demand->layer,
                    claim_demanded(*demand->blob, demand->asked, demand->need, !demand->image->order.empty(),
                                   limits_.per_image),
                    orders);
    });
  }
}

void FetchPlanner::free_slots_for(const std::vector<const Waiting*>& starving, Orders& orders) {
  starving_ = false;
  if (starving.empty()) return;
  std::vector<BusySlot> slots;
  std::vector<Running*> transfers;
  for (auto& [number, transfer] : running_) {
    BusySlot slot{transfer.image.get(), transfer.cancelling, {}};
    for (const auto& [id, demand] : demands_) {
      if (brings_to(transfer, demand)) slot.serves.push_back(id);
    }
    slots.push_back(std::move(slot));
    transfers.push_back(&transfer);
  }
  SlotVictims victims(std::move(slots));
  for (const Waiting* demand : starving) {
    const FetchImage& image = *demand->image;
    const std::optional<size_t> victim =
        image.running >= limits_.per_image ? victims.take_of(&image) : victims.take_any(image.running == 0);
    if (victim) {
      cancel(*transfers[*victim], orders);
    } else {
      starving_ = true;
    }
  }
}

struct FetchPlanner::PrefetchCursor {
  std::shared_ptr<FetchImage> image;
  size_t span = 0;
  size_t reserved = 0;  // slots for layers whose blob is being opened, so that later layers do not overtake them
  bool waits = false;   // for the first byte of a layer, which then takes the free slots
  size_t load() const { return image->running + reserved; }
};

void FetchPlanner::prefetch(Orders& orders) {
  std::vector<PrefetchCursor> cursors;
  for (const std::shared_ptr<FetchImage>& image : prefetching_) cursors.push_back({image});
  while (!cursors.empty() && running_.size() < limits_.per_mount) {
    const auto least = std::min_element(cursors.begin(), cursors.end(),
                                        [](const auto& a, const auto& b) { return a.load() < b.load(); });
    if (least->load() >= limits_.per_image) return;
    if (prefetch_next(*least, orders)) continue;
    if (least->reserved == 0 && !least->waits) split_tails(least->image, orders);
    cursors.erase(least);
  }
}

bool FetchPlanner::prefetch_next(PrefetchCursor& cursor, Orders& orders) {
  FetchImage& image = *cursor.image;
  while (cursor.span < image.order.size()) {
    const LayerSpan& span = image.order[cursor.span];
    const std::shared_ptr<cache::Blob> blob = image.blobs->opened(span.layer);
    if (blob) {
      const bool joins = flows_.contains(blob.get());
      if (!may_start(*blob)) {
        cursor.waits = cursor.waits || is_awaited(*blob);
      } else if ((!cursor.waits || !joins) &&
                 start(cursor.image, span.layer,
                       claim_gap(*blob, common_part(span.range, blob->worth_prefetching()), limits_.per_image),
                       orders)) {
        return true;
      }
      ++cursor.span;
      continue;
    }
    ++cursor.span;
    if (image.unopenable.contains(span.layer)) continue;
    if (!image.opening.contains(span.layer)) {
      orders.opens.push_back({cursor.image, span.layer});
      image.opening.insert(span.layer);
    }
    ++cursor.reserved;
    return true;
  }
  return false;
}

FetchPlanner::Running* FetchPlanner::far_behind(const Waiting& demand) {
  const uint64_t layer_bytes = demand.blob->size_bytes();
  if (layer_bytes <= kWholeLayerBytes || demand.need.length == layer_bytes) return nullptr;
  if (!may_start(*demand.blob)) return nullptr;
  for (auto& [number, running] : running_) {
    if (running.blob != demand.blob || running.cancelling || !overlap(running.range, demand.asked)) continue;
    if (demand.asked.offset > running.transfer->reached() + kFarAheadBytes) return &running;
  }
  return nullptr;
}

void FetchPlanner::split_for(const Waiting& demand) {
  Running* const running = far_behind(demand);
  if (!running) return;
  const uint64_t from = demand_window(demand.asked.offset, demand.asked.length, demand.blob->size_bytes()).offset;
  if (running->transfer->leave_from(from)) running->range.length = from - running->range.offset;
}

void FetchPlanner::split_tails(const std::shared_ptr<FetchImage>& image, Orders& orders) {
  while (has_slot(*image)) {
    Running* longest = nullptr;
    uint64_t most = 2 * kSmallestSplitBytes - 1;
    for (auto& [number, running] : running_) {
      if (running.image != image || !running.flowing || running.cancelling) continue;
      if (running.blob->size_bytes() <= kWholeLayerBytes || !may_start(*running.blob)) continue;
      const uint64_t left = running.range.end() - std::min(running.transfer->reached(), running.range.end());
      if (left <= most || !is_slow(running, left)) continue;
      most = left;
      longest = &running;
    }
    if (!longest) return;
    const uint64_t from = longest->range.end() - most / 2;
    const cache::ByteRange rest{from, longest->range.end() - from};
    if (!longest->transfer->leave_from(from)) return;  // it is writing; the next end of a transfer brings us back
    longest->range.length -= rest.length;
    if (!start(image, longest->layer, longest->blob->claim(rest.offset, rest.length), orders)) return;
  }
}

bool FetchPlanner::is_awaited(const cache::Blob& blob) const {
  const Flow& flow = flows_.at(&blob);
  return flow.proofs == 0 && clock_.now() - flow.asked_at < kHeadStart;
}

bool FetchPlanner::is_slow(const Running& transfer, uint64_t left) const {
  using Seconds = std::chrono::duration<double>;
  const Seconds elapsed = clock_.now() - *transfer.flowing;
  if (elapsed < kSpeedKnownAfter) return false;
  const auto came = static_cast<double>(transfer.transfer->reached() - transfer.flowing_from + 1);
  return elapsed * (static_cast<double>(left) / came) > kWorthSplitting;
}

void FetchPlanner::cancel_orphans(Orders& orders) {
  for (auto& [number, transfer] : running_) {
    if (!transfer.image->open && !is_wanted(transfer)) cancel(transfer, orders);
  }
}

bool FetchPlanner::lacks_bytes(Waiting& demand) {
  if (demand.blob->readable(demand.asked.offset, demand.asked.length) != cache::Blob::Readable::not_yet) return false;
  if (demand.blob->is_stream()) {
    // What was needed may have been hashed and given up since.
    demand.need = demand.blob->needed_for(demand.asked);
    return !demand.blob->covered(demand.need.offset, demand.need.length);
  }
  if (!demand.blob->covered(demand.need.offset, demand.need.length)) return true;
  if (demand.need.length == demand.blob->size_bytes() || is_served(demand, true)) return false;
  // All of it has come and it still cannot be read: it waits for the layer to be verified.
  demand.need = {0, demand.blob->size_bytes()};
  return !demand.blob->covered(demand.need.offset, demand.need.length);
}

bool FetchPlanner::may_start(const cache::Blob& blob) const {
  const auto flow = flows_.find(&blob);
  if (flow == flows_.end()) return true;
  if (flow->second.sends_all) return false;
  if (flow->second.proofs > 0) return flow->second.transfers < 1 + 2 * flow->second.proofs;
  const auto pioneers = 1 + (clock_.now() - flow->second.asked_at) / kPioneerPatience;
  return flow->second.transfers < static_cast<size_t>(pioneers);
}

bool FetchPlanner::may_start_for(const Waiting& demand) const {
  if (may_start(*demand.blob)) return true;
  if (flows_.at(demand.blob.get()).sends_all) return false;
  return std::none_of(running_.begin(), running_.end(), [&](const auto& entry) {
    if (entry.second.blob != demand.blob || entry.second.cancelling) return false;
    return entry.second.pausing || is_demanded(entry.second);
  });
}

bool FetchPlanner::is_served(const Waiting& demand, bool by_cancelled_too) const {
  return std::any_of(running_.begin(), running_.end(), [&](const auto& entry) {
    return brings_to(entry.second, demand) && (by_cancelled_too || !entry.second.cancelling);
  });
}

bool FetchPlanner::brings_to(const Running& transfer, const Waiting& demand) const {
  if (transfer.blob != demand.blob || !overlap(transfer.range, demand.need)) return false;
  // One that has brought its part of what is needed serves nobody, however long it goes on.
  const uint64_t begin = std::max(transfer.range.offset, demand.need.offset);
  const uint64_t end = std::min(transfer.range.end(), demand.need.end());
  return transfer.blob->readable(begin, end - begin) != cache::Blob::Readable::yes;
}

bool FetchPlanner::has_slot(const FetchImage& image) const {
  return running_.size() < limits_.per_mount && image.running < limits_.per_image;
}

bool FetchPlanner::is_demanded(const Running& transfer) const {
  return std::any_of(demands_.begin(), demands_.end(), [&](const auto& entry) {
    return entry.second.blob == transfer.blob && overlap(entry.second.need, transfer.range);
  });
}

bool FetchPlanner::is_wanted(const Running& transfer) const {
  if (is_demanded(transfer)) return true;
  return std::any_of(prefetching_.begin(), prefetching_.end(), [&](const std::shared_ptr<FetchImage>& image) {
    for (size_t layer = 0; layer < image->blobs->layers(); ++layer) {
      if (image->blobs->opened(layer) == transfer.blob) return true;
    }
    return false;
  });
}

bool FetchPlanner::start(const std::shared_ptr<FetchImage>& image, size_t layer, std::optional<cache::Claim> claim,
                         Orders& orders) {
  if (!claim) return false;
  const Monotonic::time_point now = clock_.now();
  const uint64_t number = next_id_++;
  const cache::ByteRange range = claim->range();
  std::shared_ptr<cache::Blob> blob = claim->blob().shared_from_this();
  auto transfer = std::make_shared<BlobTransfer>(shared_from_this(), number, blob, std::move(*claim));
  // First what may be refused for want of memory: Orders gives up the rest.
  orders.starts.push_back({image, layer, range, number, transfer});
  Flow& flow = flows_[blob.get()];
  running_.emplace(number, Running{image, layer, std::move(blob), range, std::move(transfer), std::nullopt});
  if (++flow.transfers == 1) flow.asked_at = now;
  ++image->running;
  return true;
}

void FetchPlanner::cancel_others_of(const Running& transfer, Orders& orders) {
  for (auto& [number, other] : running_) {
    if (&other != &transfer && other.blob == transfer.blob) cancel(other, orders);
  }
}

void FetchPlanner::cancel(Running& transfer, Orders& orders) {
  if (transfer.cancelling) return;
  if (transfer.download) orders.cancels.push_back(*transfer.download);
  transfer.cancelling = true;
}

}  // namespace regfs::fs
