// SPDX-License-Identifier: MIT
// One image of one platform, settled: what was asked for, and the verified documents behind it. An
// immutable value; the archive and every other view of the image follow from it alone.
#pragma once

#include <optional>
#include <string>

#include "base/digest.h"
#include "registry/manifest.h"
#include "registry/reference.h"

namespace regfs::fs {

struct ResolvedImage {
  registry::Repository repository;
  std::optional<std::string> tag;   // nullopt: addressed by digest, so the archive holds no names
  Digest manifest_digest;           // of manifest_bytes
  std::string manifest_media_type;  // what the registry calls the manifest
  std::string manifest_bytes;       // as served; their SHA-256 is manifest_digest
  std::string config_bytes;         // as served; their SHA-256 is manifest.config.digest
  registry::Manifest manifest;      // manifest_bytes, parsed
  registry::ImageConfig config;     // config_bytes, parsed
};

}  // namespace regfs::fs
