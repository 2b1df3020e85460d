// SPDX-License-Identifier: MIT
// Brings local bytes into a store as a transfer brings those of a registry. One thread, which waits for the verifiers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/digest.h"
#include "base/result.h"
#include "cache/store.h"
#include "tools/import_source.h"

namespace regfs {

// How long nothing may happen to a blob, which another process may be bringing.
inline constexpr std::chrono::seconds kFilingPatience{90};

struct FiledBlob {
  std::shared_ptr<cache::Blob> blob;  // complete; not evicted while it is held
  bool was_there = false;
};

// Returns once it is verified; it is published soon after (BlobStore::settle). `brought` hears of each piece.
Result<FiledBlob> file_blob(cache::BlobStore& store, const Digest& digest, const ImportFile& file,
                            const std::function<void(uint64_t bytes)>& brought);

}  // namespace regfs
