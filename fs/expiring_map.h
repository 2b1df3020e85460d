// SPDX-License-Identifier: MIT
// Small answers that are good for a while: each entry carries the time it ends. Bounded: a full map
// lets go of what has ended, then of what ends first. Safe to use from any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"

namespace regfs::fs {

template <typename Key, typename Value>
class ExpiringMap {
 public:
  struct Found {
    Value value;
    std::chrono::milliseconds left;  // how much longer it is good
  };

  // `clock` must outlive the map.
  ExpiringMap(const Clock& clock, size_t most_entries) : clock_(clock), most_entries_(most_entries) {}

  void put(const Key& key, Value value, std::chrono::milliseconds life) {
    Monotonic::time_point now = clock_.now();
    MutexLock lock(mutex_);
    if (entries_.size() >= most_entries_ && !entries_.contains(key)) make_room(now);
    entries_.insert_or_assign(key, Entry{std::move(value), now + life});
  }

  std::optional<Found> get(const Key& key) const {
    Monotonic::time_point now = clock_.now();
    MutexLock lock(mutex_);
    auto entry = entries_.find(key);
    if (entry == entries_.end() || entry->second.end <= now) return std::nullopt;
    return Found{entry->second.value, std::chrono::ceil<std::chrono::milliseconds>(entry->second.end - now)};
  }

  void drop(const Key& key) {
    MutexLock lock(mutex_);
    entries_.erase(key);
  }

 private:
  struct Entry {
    Value value;
    Monotonic::time_point end;
  };

  void make_room(Monotonic::time_point now) REGFS_REQUIRES(mutex_) {
    std::erase_if(entries_, [now](const auto& entry) { return entry.second.end <= now; });
    if (entries_.size() < most_entries_) return;
    entries_.erase(std::min_element(entries_.begin(), entries_.end(),
                                    [](const auto& a, const auto& b) { return a.second.end < b.second.end; }));
  }

  const Clock& clock_;
  const size_t most_entries_;
  mutable Mutex mutex_;
  std::map<Key, Entry> entries_ REGFS_GUARDED_BY(mutex_);
};

}  // namespace regfs::fs
