// SPDX-License-Identifier: MIT
// What of an archive belongs into a cache: which members are blobs as a registry has them, under which digest.
//
// Two layouts are known: OCI's (index.json and blobs/), which goes first, and that of `docker save` (manifest.json).
// Each blob that is named is hashed here, so that an archive with a wrong one is refused before anything is filed.
// Layers that are not compressed are left out: a registry has them compressed, under another digest. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "tools/import_source.h"

namespace regfs {

struct ImportPlan {
  struct Blob {
    Digest digest;
    ImportFile file;
    bool document = false;  // manifest, index or config
  };
  struct Image {
    Digest digest;         // of the manifest; of the config where the archive has no manifest
    std::string platform;  // may be empty
    bool manifest = false;
  };

  std::vector<Blob> blobs;  // each once; layers first, and what names others behind them
  std::vector<Image> images;
  std::vector<std::string> uncompressed;  // layers left out, by name
  std::vector<Digest> missing;            // foreign layers that a manifest names and the archive does not have

  uint64_t bytes() const;
  uint64_t layers() const;  // among the blobs
};

// Of all blobs, to be told before they are hashed; and of each piece.
struct ImportWatcher {
  std::function<void(uint64_t bytes)> whole;
  std::function<void(uint64_t bytes)> hashed;
};

// Errc::malformed when there is no image in it; Errc::digest_mismatch or wrong_length when a blob is wrong.
Result<ImportPlan> plan_import(const ImportSource& source, const ImportWatcher& watcher);

}  // namespace regfs
