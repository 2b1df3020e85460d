// SPDX-License-Identifier: MIT
#include "fs/image_archive.h"

#include <set>
#include <utility>

#include <nlohmann/json.hpp>

namespace regfs::fs {
namespace {

using Json = nlohmann::ordered_json;  // keys stay in the order they are written here

// Strings from the wire may be no UTF-8, for which dump() would throw. What is dumped is nested three
// deep, so the recursion in there is bounded.
std::string compact(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string blob_path(const Digest& digest) {
  return "blobs/sha256/" + digest.hex();
}

Json platform_json(const registry::Platform& platform) {
  Json json = {{"architecture", platform.architecture}, {"os", platform.os}};
  if (!platform.os_version.empty()) json["os.version"] = platform.os_version;
  if (!platform.variant.empty()) json["variant"] = platform.variant;
  return json;
}

Json descriptor_json(const ResolvedImage& image) {
  Json json = {{"mediaType", image.manifest_media_type},
               {"digest", image.manifest_digest.str()},
               {"size", image.manifest_bytes.size()}};
  const registry::Platform& platform = image.config.platform;
  // Half a platform matches no machine; a descriptor without one matches all.
  if (!platform.os.empty() && !platform.architecture.empty()) json["platform"] = platform_json(platform);
  if (image.tag) {
    json["annotations"] = {{"io.containerd.image.name", image.repository.str() + ":" + *image.tag},
                           {"org.opencontainers.image.ref.name", *image.tag}};
  }
  return json;
}

}  // namespace

std::string oci_layout_json() {
  return compact(Json::object({{"imageLayoutVersion", "1.0.0"}}));
}

std::string index_json(const ResolvedImage& image) {
  Json json = {
      {"schemaVersion", 2}, {"mediaType", registry::kOciIndex}, {"manifests", Json::array({descriptor_json(image)})}};
  return compact(json);
}

std::string docker_manifest_json(const ResolvedImage& image) {
  Json layers = Json::array();
  for (const registry::Descriptor& layer : image.manifest.layers) layers.push_back(blob_path(layer.digest));
  Json names = Json::array();
  if (image.tag) names.push_back(image.repository.familiar() + ":" + *image.tag);
  Json item = {{"Config", blob_path(image.manifest.config.digest)}, {"Layers", layers}, {"RepoTags", names}};
  return compact(Json::array({item}));
}

ImageArchive image_archive(const ResolvedImage& image) {
  std::vector<TarMember> members = {
      {"oci-layout", oci_layout_json()},
      {"index.json", index_json(image)},
      {"manifest.json", docker_manifest_json(image)},
      {"blobs/", ""},
      {"blobs/sha256/", ""},
      {blob_path(image.manifest_digest), image.manifest_bytes},
  };
  std::set<Digest> present = {image.manifest_digest};
  if (present.insert(image.manifest.config.digest).second) {
    members.push_back({blob_path(image.manifest.config.digest), image.config_bytes});
  }
  std::vector<registry::Descriptor> blobs;
  for (const registry::Descriptor& layer : image.manifest.layers) {
    if (!present.insert(layer.digest).second) continue;
    members.push_back({blob_path(layer.digest), BlobMember{layer.size_bytes}});
    blobs.push_back(layer);
  }
  return {TarLayout(std::move(members)), std::move(blobs)};
}

}  // namespace regfs::fs
