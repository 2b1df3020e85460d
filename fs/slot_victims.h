// SPDX-License-Identifier: MIT
// Which transfer gives up its slot when somebody waits and every slot is taken. Pure; not synchronised.
//
// In this order: one that is being cancelled already; one that nobody waits for; one whose readers are
// all served by another, too; and for an image that has no transfer at all, one of the image that has the most, so
// that a registry that stalls cannot hold every slot. Of several the newest: it is furthest from what is read next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace regfs::fs {

struct BusySlot {
  const void* image;  // that the transfer was started for; an identity, never looked into
  bool cancelling;
  std::vector<uint64_t> serves;  // the demands that wait for bytes of it
};

class SlotVictims {
 public:
  // Oldest first.
  explicit SlotVictims(std::vector<BusySlot> slots);

  // A slot, by its place in the list, that shall come free: one of this image, or any one (for an image that is `idle`
  // or not). Each slot is given once; nullopt when the reader has to wait.
  std::optional<size_t> take_of(const void* image);
  std::optional<size_t> take_any(bool idle);

 private:
  std::optional<size_t> take(const void* image);
  std::optional<size_t> of_the_busiest() const;
  bool spare(const BusySlot& slot) const;
  std::optional<size_t> give(std::optional<size_t> slot);

  std::vector<BusySlot> slots_;
  std::vector<bool> given_;
  std::map<uint64_t, size_t> served_by_;  // how many slots that stay serve a demand
};

}  // namespace regfs::fs
