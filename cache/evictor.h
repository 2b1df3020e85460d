// SPDX-License-Identifier: MIT
// Weighs what a cache directory holds, and removes of it what was not used for longest.
//
// When a blob was used last is when its seal was last touched: the blob itself is left alone, whose ctime is its seal.
// What anybody has open, in this process or another, is locked (kInUse) and stays. Small blobs go last: they are
// documents, without which a tree cannot be shown offline, and removing them makes no room. Owned by Room; one thread
// at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/digest.h"
#include "cache/disk.h"
#include "cache/layout.h"

namespace regfs::cache {

// Manifests and configs are below it; layers that are not are hardly worth a request.
inline constexpr uint64_t kSmallBlobBytes = 128ull << 10;

class Evictor {
 public:
  Evictor(std::shared_ptr<Disk> disk, const Layout& layout) : disk_(std::move(disk)), layout_(layout) {}

  struct Item {
    Digest digest;
    uint64_t size_bytes = 0;       // of the blob
    uint64_t allocated_bytes = 0;  // on the disk
    int64_t last_use = 0;          // nanoseconds since 1970
    bool part = false;
    std::string path;
  };
  // All of it, least recently used first, and small blobs at the end.
  std::vector<Item> weigh() const;

  // Removes items in their order until that many bytes are free, or nothing more can be removed. Returns what is gone.
  std::vector<Item> evict(const std::vector<Item>& items, uint64_t bytes);

 private:
  void add_blobs(std::vector<Item>& items) const;
  void add_parts(std::vector<Item>& items) const;
  bool remove(const Item& item);

  const std::shared_ptr<Disk> disk_;
  const Layout layout_;
};

uint64_t total_allocated(const std::vector<Evictor::Item>& items);

}  // namespace regfs::cache
