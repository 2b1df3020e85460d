// SPDX-License-Identifier: MIT
// What a stat of an archive shows, and what its inode stands for: one (registry, repository, tag or none,
// manifest digest, platform). Names are in the archive's bytes too, so a moved tag is another file.
// Immutable; made once when the file is first looked up, shared by its node and its open handles.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "fs/resolved_image.h"

namespace regfs::fs {

struct ImageIdentity {
  registry::Repository repository;
  std::optional<std::string> tag;  // nullopt: addressed by digest
  registry::Descriptor manifest;
  std::string stem;  // "linux-amd64"

  std::string key() const;   // what the inode number is made from: the same over remounts
  std::string name() const;  // for people: "nginx:latest linux-amd64"
};

struct LayerPlace {
  Digest digest;
  uint64_t size_bytes;
  uint64_t archive_offset;  // where it stands in the archive
};

struct ImageFacts {
  ImageIdentity identity;
  uint64_t size_bytes;             // of the archive
  int64_t modified_seconds;        // the config's `created`
  std::vector<LayerPlace> layers;  // each once, in archive order
  uint64_t layer_bytes;            // their sum
};

std::shared_ptr<const ImageFacts> image_facts(ImageIdentity identity, const ResolvedImage& image);

}  // namespace regfs::fs
