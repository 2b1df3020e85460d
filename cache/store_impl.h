// SPDX-License-Identifier: MIT
// BlobStore::open() with the disk handed in, for tests that break it.
#pragma once

#include <memory>
#include <string>

#include "cache/disk.h"
#include "cache/store.h"

namespace regfs::cache {

Result<std::unique_ptr<BlobStore>> open_store(const std::string& directory, const Clock& clock, Log& log,
                                              std::shared_ptr<Disk> disk, const StoreOptions& options = {});

}  // namespace regfs::cache
