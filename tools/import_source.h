// SPDX-License-Identifier: MIT
// What is imported: the members of an archive, or the files below a directory, by name. One thread; touches the disk.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/digest.h"
#include "base/result.h"
#include "cache/disk.h"

namespace regfs {

// A stretch of an open file.
struct ImportFile {
  std::shared_ptr<const cache::DiskFile> file;
  uint64_t offset = 0;
  uint64_t size_bytes = 0;

  Result<void> read(uint64_t at, std::span<std::byte> out) const { return read_exactly(*file, offset + at, out); }
  // All of it; Errc::too_large over the bound.
  Result<std::string> text(uint64_t most_bytes) const;
};

class ImportSource {
 public:
  // A tar archive, whose headers are all read, or a directory. The error names `path`.
  static Result<std::unique_ptr<ImportSource>> open(const std::string& path);
  virtual ~ImportSource() = default;

  // A regular file; nullopt when there is none of that name. What is a link or leads outside is an error.
  virtual Result<std::optional<ImportFile>> find(const std::string& name) const = 0;
};

}  // namespace regfs
