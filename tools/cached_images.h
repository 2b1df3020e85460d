// SPDX-License-Identifier: MIT
// Which images a cache directory knows: what tags meant when last asked, and the documents behind that. Reads the
// directory and nothing else; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "cache/inventory.h"
#include "cache/ref_store.h"

namespace regfs {

struct CachedImage {
  std::string reference;  // "nginx:latest", "ghcr.io/acme/api:v1", as Docker prints it; empty: neither tag nor
                          // repository is known
  std::string platform;   // "linux/amd64"; empty: not known
  Digest digest;          // of the manifest, or of what the tag meant where no manifest is there
  // Of config and layers, each once; absent where the manifest is not there.
  std::optional<uint64_t> size_bytes;
  uint64_t present_bytes = 0;

  bool complete() const { return size_bytes && present_bytes == *size_bytes; }
};

// Sorted by reference, platforms in the order of their index. Of a tag with an index, those platforms whose manifest is
// there; one line without a platform where there is none. At the end the images that no tag leads to.
std::vector<CachedImage> cached_images(const cache::Inventory& inventory, cache::RefStore& refs);

}  // namespace regfs
