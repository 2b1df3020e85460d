// SPDX-License-Identifier: MIT
#include "tests/support/sample_images.h"

#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "tests/support/gzip.h"
#include "tests/support/ustar.h"

namespace regfs::test {
namespace {

using Json = nlohmann::ordered_json;

struct MediaTypes {
  const char* index;
  const char* manifest;
  const char* config;
  const char* gzip_layer;
};

constexpr MediaTypes kOci{"application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json",
                          "application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar+gzip"};
constexpr MediaTypes kDocker{
    "application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.container.image.v1+json", "application/vnd.docker.image.rootfs.diff.tar.gzip"};
constexpr const char* kPlainLayer = "application/vnd.oci.image.layer.v1.tar";
constexpr const char* kInTotoLayer = "application/vnd.in-toto+json";

const MediaTypes& media_types(Flavour flavour) {
  return flavour == Flavour::oci ? kOci : kDocker;
}

Json descriptor(std::string_view media_type, const Digest& digest, uint64_t size_bytes) {
  return {{"mediaType", media_type}, {"digest", digest.str()}, {"size", size_bytes}};
}

Json platform_json(const SamplePlatform& platform) {
  Json json = {{"architecture", platform.architecture}, {"os", platform.os}};
  if (!platform.variant.empty()) json["variant"] = platform.variant;
  return json;
}

std::string config_json(const ImageRecipe& recipe) {
  Json config = {{"created", recipe.created}};
  config.update(platform_json(recipe.platform));
  config["config"] = {{"Env", {"PATH=/usr/bin:/bin"}}, {"Cmd", {"/hello"}}};
  config["rootfs"] = {{"type", "layers"}, {"diff_ids", Json::array()}};
  config["history"] = Json::array();
  for (const SampleLayer& layer : recipe.layers) {
    config["rootfs"]["diff_ids"].push_back(layer.diff_id.str());
    config["history"].push_back({{"created", recipe.created}, {"created_by", "a test"}});
  }
  return config.dump();
}

SampleImage attestation_of(const SampleImage& image) {
  const std::string statement = Json{{"_type", "https://in-toto.io/Statement/v0.1"},
                                     {"subject", {{{"name", "an image"}, {"digest", image.digest.hex()}}}}}
                                    .dump();
  const Digest digest = sha256_of(statement);
  return make_image(
      {.layers = {{kInTotoLayer, digest, digest, kept_bytes(statement)}}, .platform = {"unknown", "unknown", ""}});
}

Json index_entry(const SampleImage& image) {
  Json entry = descriptor(image.media_type, image.digest, image.manifest.size());
  entry["platform"] = platform_json(image.platform);
  return entry;
}

}  // namespace

SampleLayer seeded_layer(uint64_t seed, uint64_t size_bytes, Flavour flavour) {
  ContentPtr content = seeded_bytes(seed, size_bytes);
  const Digest digest = digest_of(*content);
  return {media_types(flavour).gzip_layer, digest, sha256_of("unpacked " + digest.str()), std::move(content)};
}

SampleLayer unverifiable_layer(uint64_t seed, uint64_t size_bytes) {
  const std::string name = "layer " + std::to_string(seed) + " of " + std::to_string(size_bytes) + " bytes";
  return {kOci.gzip_layer, sha256_of(name), sha256_of("unpacked " + name), seeded_bytes(seed, size_bytes)};
}

SampleLayer tar_layer(std::string_view file_name, std::string_view text) {
  std::string tar = tar_of_one_file(file_name, text);
  const Digest digest = sha256_of(tar);
  return {kPlainLayer, digest, digest, kept_bytes(std::move(tar))};
}

SampleLayer gzip_layer(std::string_view file_name, std::string_view text, Flavour flavour) {
  const std::string tar = tar_of_one_file(file_name, text);
  std::string gzip = gzip_stored(tar);
  const Digest digest = sha256_of(gzip);
  return {media_types(flavour).gzip_layer, digest, sha256_of(tar), kept_bytes(std::move(gzip))};
}

SampleImage make_image(const ImageRecipe& recipe) {
  const MediaTypes& types = media_types(recipe.flavour);
  std::string config = config_json(recipe);
  const Digest config_digest = sha256_of(config);

  Json manifest = {{"schemaVersion", 2}, {"mediaType", types.manifest}};
  manifest["config"] = descriptor(types.config, config_digest, config.size());
  manifest["layers"] = Json::array();
  for (const SampleLayer& layer : recipe.layers) {
    manifest["layers"].push_back(descriptor(layer.media_type, layer.digest, layer.content->size_bytes()));
  }
  std::string body = manifest.dump(2);
  const Digest digest = sha256_of(body);
  return {.platform = recipe.platform,
          .media_type = types.manifest,
          .manifest = std::move(body),
          .digest = digest,
          .config = std::move(config),
          .config_digest = config_digest,
          .layers = recipe.layers};
}

SampleIndex make_index(std::vector<SampleImage> images, Flavour flavour, bool attestation) {
  const MediaTypes& types = media_types(flavour);
  Json index = {{"schemaVersion", 2}, {"mediaType", types.index}, {"manifests", Json::array()}};
  for (const SampleImage& image : images) index["manifests"].push_back(index_entry(image));

  std::vector<SampleImage> attestations;
  if (attestation && !images.empty()) {
    attestations.push_back(attestation_of(images.front()));
    Json entry = index_entry(attestations.front());
    entry["annotations"] = {{"vnd.docker.reference.digest", images.front().digest.str()},
                            {"vnd.docker.reference.type", "attestation-manifest"}};
    index["manifests"].push_back(std::move(entry));
  }
  std::string body = index.dump(2);
  const Digest digest = sha256_of(body);
  return {types.index, std::move(body), digest, std::move(images), std::move(attestations)};
}

SampleIndex multi_platform(uint64_t seed, uint64_t layer_bytes, Flavour flavour) {
  const SampleLayer shared = seeded_layer(seed, layer_bytes, flavour);
  const std::array<SamplePlatform, 3> platforms{
      {{"linux", "amd64", ""}, {"linux", "arm64", "v8"}, {"linux", "arm", "v7"}}};
  std::vector<SampleImage> images;
  for (const SamplePlatform& platform : platforms) {
    const uint64_t own_seed = seed + 1000 + images.size();
    images.push_back(make_image({.layers = {shared, seeded_layer(own_seed, layer_bytes / 2 + 1, flavour)},
                                 .platform = platform,
                                 .flavour = flavour}));
  }
  return make_index(std::move(images), flavour);
}

}  // namespace regfs::test
