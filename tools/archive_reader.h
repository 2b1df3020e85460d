// SPDX-License-Identifier: MIT
// An archive read by a thread that waits. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"
#include "fs/image_file.h"

namespace regfs {

class ArchiveReader {
 public:
  // `services` must outlive it. Tells the fetcher at once that all of the image is wanted.
  ArchiveReader(std::shared_ptr<fs::ImageFetch> fetch, const fs::ReadServices& services);

  uint64_t size_bytes() const { return file_.size_bytes(); }

  // Fills `out` from `offset`, less only at the end of the archive. Waits for the network; every wait ends by the
  // read time-out or when the store shuts down.
  Result<size_t> read(uint64_t offset, std::span<std::byte> out);

 private:
  fs::ImageFile file_;
};

}  // namespace regfs
