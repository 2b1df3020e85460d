// SPDX-License-Identifier: MIT
// The published files of a cache directory and their seals. Owned by the store; safe to use from any
// thread; touches the disk.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/layout.h"
#include "cache/part_file.h"
#include "cache/records.h"

namespace regfs::cache {

// Of the files in a directory of blobs or seals those that are named as such; empty where it cannot be read.
std::vector<Digest> digests_in(const Disk& disk, const std::string& directory);

class Published {
 public:
  Published(std::shared_ptr<Disk> disk, std::shared_ptr<SmallFiles> small_files, const Layout& layout);

  struct File {
    std::shared_ptr<DiskFile> file;
    FileFacts facts;
    std::optional<Seal> seal;

    bool sealed() const { return seal == Seal::of(facts); }  // untouched since it was known to be right
  };
  // nullopt when absent; what bears the name and is no regular file is removed. An error (EMFILE …)
  // says nothing about the bytes.
  Result<std::optional<File>> find(const Digest& digest);
  // Open and locked against eviction while it lives; null when there is no such file.
  std::shared_ptr<const void> pin(const Digest& digest);
  // It is used now, which the eviction will think of. The blob itself is left alone: its ctime is its seal.
  void used(const Digest& digest);
  // Size of what is there, sealed or not; 0 when nothing. One stat.
  uint64_t size_bytes(const Digest& digest) const;

  Result<void> publish(const Digest& digest, PartFile& part);
  Result<void> publish(const Digest& digest, const std::string& bytes);
  // The bytes of the file were just found to be right.
  Result<void> seal(const Digest& digest, const DiskFile& file);
  // Unlinks the file if it still is the one found wrong, not what another process put in its place.
  void drop(const Digest& digest, const DiskFile& wrong);

 private:
  Result<void> write_seal(const Digest& digest, const FileFacts& facts);

  const std::shared_ptr<Disk> disk_;
  const std::shared_ptr<SmallFiles> small_files_;
  const Layout layout_;
};

}  // namespace regfs::cache
