// SPDX-License-Identifier: MIT
#include "fs/slot_victims.h"

#include <algorithm>
#include <utility>

namespace regfs::fs {

SlotVictims::SlotVictims(std::vector<BusySlot> slots) : slots_(std::move(slots)), given_(slots_.size()) {
  for (const BusySlot& slot : slots_) {
    if (slot.cancelling) continue;
    for (uint64_t demand : slot.serves) ++served_by_[demand];
  }
}

std::optional<size_t> SlotVictims::take_of(const void* image) {
  return give(take(image));
}

std::optional<size_t> SlotVictims::take_any(bool idle) {
  std::optional<size_t> slot = take(nullptr);
  if (!slot && idle) slot = of_the_busiest();
  return give(slot);
}

std::optional<size_t> SlotVictims::take(const void* image) {
  std::optional<size_t> idle;
  std::optional<size_t> spared;
  for (size_t i = slots_.size(); i-- > 0;) {
    const BusySlot& slot = slots_[i];
    if (given_[i] || (image != nullptr && slot.image != image)) continue;
    if (slot.cancelling) return i;
    if (!idle && slot.serves.empty()) idle = i;
    if (!spared && spare(slot)) spared = i;
  }
  return idle ? idle : spared;
}

std::optional<size_t> SlotVictims::of_the_busiest() const {
  std::map<const void*, size_t> staying;
  for (size_t i = 0; i < slots_.size(); ++i) staying[slots_[i].image] += given_[i] || slots_[i].cancelling ? 0 : 1;
  size_t most = 1;  // an only transfer is never taken
  std::optional<size_t> victim;
  for (size_t i = slots_.size(); i-- > 0;) {
    if (given_[i] || slots_[i].cancelling || staying[slots_[i].image] <= most) continue;
    most = staying[slots_[i].image];
    victim = i;
  }
  return victim;
}

bool SlotVictims::spare(const BusySlot& slot) const {
  return std::all_of(slot.serves.begin(), slot.serves.end(),
                     [this](uint64_t demand) { return served_by_.at(demand) > 1; });
}

std::optional<size_t> SlotVictims::give(std::optional<size_t> slot) {
  if (!slot) return slot;
  given_[*slot] = true;
  if (slots_[*slot].cancelling) return slot;
  for (uint64_t demand : slots_[*slot].serves) --served_by_[demand];
  return slot;
}

}  // namespace regfs::fs
