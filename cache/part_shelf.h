// SPDX-License-Identifier: MIT
// The part files of a cache directory: which may be resumed, which are debris. Owned by the store;
// safe to use from any thread; touches the disk.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "cache/layout.h"
#include "cache/part_file.h"
#include "cache/records.h"

namespace regfs::cache {

class PartShelf {
 public:
  PartShelf(std::shared_ptr<Disk> disk, std::shared_ptr<SmallFiles> small_files, const Layout& layout);

  struct Found {
    std::shared_ptr<PartFile> part;
    IntervalSet present;
  };
  // The part of that blob, with what has come of it: what an earlier Blob left behind, what another process is
  // bringing just now, or a new one. Where it can be had by neither, one that nobody else knows.
  Result<Found> open(const Digest& digest, uint64_t size_bytes);
  // One that nobody else knows, and that is not resumed.
  Result<Found> create_spare(const Digest& digest, uint64_t size_bytes);
  // Removes what is left of a blob that has been published meanwhile, unless somebody has it.
  void remove_useless(const Digest& digest, uint64_t size_bytes);

  struct Kept {
    Digest digest;
    uint64_t size_bytes;
    uint64_t present_bytes;
  };
  // Removes what dead processes left and nobody can resume; returns what can be.
  std::vector<Kept> sweep();

 private:
  // A regular file of that name and no other kind of thing; null when `lock` is not to be had.
  Result<std::shared_ptr<DiskFile>> open_locked(const std::string& path, OpenFor purpose, DiskFile::RangeLock lock);
  Result<IntervalSet> begin_alone(const PartPaths& paths, uint64_t size_bytes, DiskFile& file);
  PartPaths paths(const Digest& digest, uint64_t size_bytes) const;
  std::optional<Kept> sweep_part(const PartName& name, const std::string& path);

  const Layout layout_;
  const std::shared_ptr<const PartTools> tools_;
};

}  // namespace regfs::cache
