// SPDX-License-Identifier: MIT
// Small files written whole: into tmp/, then renamed, so that a reader sees all of one or nothing.
// A file being written is locked, so that another process does not sweep it away as debris.
// Safe to use from any thread.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cache/disk.h"
#include "cache/layout.h"

namespace regfs::cache {

class SmallFiles {
 public:
  SmallFiles(std::shared_ptr<Disk> disk, const Layout& layout);

  enum class Durability {
    renamed,  // for what may be lost: after a power failure it may be empty or absent
    synced,   // on the disk, name and all, when write() returns
  };
  // The facts are those of the file under its final name.
  Result<FileFacts> write(const std::string& path, std::string_view bytes, Durability durability);

  // nullopt when absent, no regular file, or over max_bytes.
  Result<std::optional<std::string>> read(const std::string& path, uint64_t max_bytes) const;

  // Whether a file can be made at all.
  Result<void> probe();
  // Removes what dead processes left in tmp/.
  void sweep();

 private:
  struct NewFile {
    std::string path;
    std::unique_ptr<DiskFile> file;
  };
  Result<NewFile> create();
  Result<FileFacts> write_and_rename(NewFile& created, const std::string& path, std::string_view bytes,
                                     Durability durability);

  const std::shared_ptr<Disk> disk_;
  const std::string directory_;
  std::atomic<uint64_t> next_{1};
};

}  // namespace regfs::cache
