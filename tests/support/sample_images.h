// SPDX-License-Identifier: MIT
// Images for tests, made from a seed: layers, config, manifest and index as a registry would store
// them, in the OCI and in the Docker schema 2 flavour. The same recipe gives the same bytes on every
// machine. Pure values.
//
//   SampleImage image = make_image({.layers = {seeded_layer(1, 5 << 20), seeded_layer(2, 700)}});
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "tests/support/content.h"

namespace regfs::test {

enum class Flavour { oci, docker };

struct SampleLayer {
  std::string media_type;
  Digest digest;
  Digest diff_id;
  ContentPtr content;
};

// Pseudo-random bytes that pass for a gzip layer everywhere but in a loader.
SampleLayer seeded_layer(uint64_t seed, uint64_t size_bytes, Flavour flavour = Flavour::oci);
// The same with a digest that is not that of the bytes: for layers that no test reads to their end.
SampleLayer unverifiable_layer(uint64_t seed, uint64_t size_bytes);
// Layers that loaders take: one file, as a plain tar and as gzip (stored, not deflated).
SampleLayer tar_layer(std::string_view file_name, std::string_view text);
SampleLayer gzip_layer(std::string_view file_name, std::string_view text, Flavour flavour = Flavour::oci);

struct SamplePlatform {
  std::string os = "linux";
  std::string architecture = "amd64";
  std::string variant = {};
};

struct ImageRecipe {
  std::vector<SampleLayer> layers = {};  // base first; may repeat
  SamplePlatform platform = {};
  Flavour flavour = Flavour::oci;
  std::string created = "2024-05-06T07:08:09Z";
};

struct SampleImage {
  SamplePlatform platform;
  std::string media_type;  // of the manifest
  std::string manifest;
  Digest digest;  // of the manifest
  std::string config;
  Digest config_digest;
  std::vector<SampleLayer> layers;
};

SampleImage make_image(const ImageRecipe& recipe);

struct SampleIndex {
  std::string media_type;
  std::string body;
  Digest digest;
  std::vector<SampleImage> images;
  std::vector<SampleImage> attestations;  // listed as unknown/unknown; no platforms
};

// An index of these images in this order; with `attestation`, BuildKit's extra entry for the first.
SampleIndex make_index(std::vector<SampleImage> images, Flavour flavour = Flavour::oci, bool attestation = true);

// linux/amd64, linux/arm64/v8 and linux/arm/v7, two layers each of which the first is shared, and an attestation.
SampleIndex multi_platform(uint64_t seed, uint64_t layer_bytes, Flavour flavour = Flavour::oci);

}  // namespace regfs::test
