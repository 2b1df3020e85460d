// SPDX-License-Identifier: MIT
// What a cache has been good for: how often a layer that an archive needed was there, and how often not.
//
// One small file in the cache directory, into which every process that uses it counts. Counts are gathered in memory
// and added to the file now and then, under a lock: a process that dies loses its last ones, and the file is always
// whole. Owned by the store; safe to use from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "cache/disk.h"
#include "cache/layout.h"
#include "cache/small_files.h"

namespace regfs::cache {

struct Usage {
  uint64_t hits = 0;         // layers that were there when an archive needed them
  uint64_t misses = 0;       // that were not, or not all of them
  uint64_t saved_bytes = 0;  // that needed not be fetched

  bool empty() const { return hits == 0 && misses == 0 && saved_bytes == 0; }
  friend bool operator==(const Usage&, const Usage&) = default;
};
Usage operator+(const Usage& one, const Usage& other);
std::string to_text(const Usage& usage);
std::optional<Usage> parse_usage(std::string_view text);
// Nothing counted where there is no file, or none that can be read.
Usage stored_usage(const SmallFiles& small_files, const Layout& layout);

class UsageCounter {
 public:
  UsageCounter(std::shared_ptr<Disk> disk, std::shared_ptr<SmallFiles> small_files, const Layout& layout)
      : disk_(std::move(disk)), small_files_(std::move(small_files)), layout_(layout) {}

  // True when no store() is due yet: then somebody is to see to one.
  bool count(const Usage& usage);
  // Touches the disk. What cannot be stored now is kept for the next time.
  void store();

 private:
  const std::shared_ptr<Disk> disk_;
  const std::shared_ptr<SmallFiles> small_files_;
  const Layout layout_;
  Mutex mutex_;
  Usage waiting_ REGFS_GUARDED_BY(mutex_);
  bool due_ REGFS_GUARDED_BY(mutex_) = false;  // somebody will call store()
};

}  // namespace regfs::cache
