// SPDX-License-Identifier: MIT
// The documents of a registry as plain structs: index, manifest and image config of Docker schema 2
// and OCI 1.1.
//
// Nothing from the wire is trusted: documents are bounded in size, depth and count before they become
// structs, integers are in range, digests are digests. A document that fails is Errc::malformed
// (hostile, wrong types, sizes out of range), Errc::too_large, or Errc::unsupported (schema 1, an
// unknown digest algorithm, an artifact that is no image), with a sentence that says what was wrong.
// No exception leaves these functions. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "registry/platform.h"

namespace regfs::registry {

// The OCI spec asks implementations to expect manifests of at least 4 MiB; nobody needs more.
inline constexpr uint64_t kMaxManifestBytes = 4ull << 20;
inline constexpr uint64_t kMaxConfigBytes = 4ull << 20;
inline constexpr size_t kMaxJsonDepth = 64;
inline constexpr size_t kMaxIndexEntries = 10'000;
inline constexpr size_t kMaxLayers = 1'000;
inline constexpr uint64_t kMaxLayerBytes = 1ull << 40;  // exclusive
inline constexpr int kMaxIndexNesting = 4;

struct Descriptor {
  std::string media_type;
  Digest digest;
  uint64_t size_bytes;
  std::vector<std::string> urls;  // of a foreign layer; http and https only, others are left out

  friend bool operator==(const Descriptor&, const Descriptor&) = default;
};

struct IndexEntry {
  Descriptor descriptor;
  std::optional<Platform> platform;  // as the index says it
  bool attestation = false;          // unknown/unknown, or annotated as an attestation: no platform
};

struct Index {
  std::string media_type;
  std::vector<IndexEntry> entries;
};

struct Manifest {
  std::string media_type;
  Descriptor config;
  std::vector<Descriptor> layers;  // base first, as listed; may repeat
};

using Document = std::variant<Index, Manifest>;

struct ImageConfig {
  Platform platform;
  int64_t created_seconds = 0;  // Unix time, ≥ 0; 0 if absent or not RFC 3339
  size_t diff_ids = 0;          // how many layers rootfs names
};

// Parses an index or a manifest. Which one it is comes from the document: its mediaType, or for OCI
// documents without one, its fields; `content_type` (the header, parameters ignored, may be empty)
// settles a document that says neither. `expected_media_type` is what the index entry called it (empty:
// unknown); a mediaType that differs from it is malformed (CVE-2021-41190), as is a document with both
// layers and manifests. The sum of all layer sizes fits a signed 64-bit archive size.
Result<Document> parse_document(std::string_view body, std::string_view content_type,
                                std::string_view expected_media_type = {});

// Parses an image config. One whose rootfs is missing or of other types is malformed; an artifact's config ({}) is
// unsupported.
Result<ImageConfig> parse_image_config(std::string_view body);

// The four media types, for Accept; and their kinds.
inline constexpr std::string_view kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";

}  // namespace regfs::registry
