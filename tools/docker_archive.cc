// SPDX-License-Identifier: MIT
#include "tools/docker_archive.h"

#include <utility>

#include <nlohmann/json.hpp>

namespace regfs {
namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 8;

Error malformed_archive(const std::string& what) {
  return Error(Errc::malformed, what);
}

Result<std::string> member_name(const Json& json) {
  if (!json.is_string()) return malformed_archive("a name in it is no text");
  std::string name = json.get<std::string>();
  while (name.starts_with("./")) name.erase(0, 2);
  if (name.empty()) return malformed_archive("a name in it is empty");
  return name;
}

Result<DockerImage> parse_image(const Json& json) {
  if (!json.is_object()) return malformed_archive("an image in it is no object");
  const auto config = json.find("Config");
  if (config == json.end()) return malformed_archive("an image in it has no Config");
  Result<std::string> config_name = member_name(*config);
  if (!config_name) return config_name.error();
  DockerImage image{*std::move(config_name), {}};
  const auto layers = json.find("Layers");
  if (layers == json.end() || layers->is_null()) return image;
  if (!layers->is_array() || layers->size() > kMostDockerLayers)
    return malformed_archive("the Layers of an image are no list");
  for (const Json& layer : *layers) {
    Result<std::string> name = member_name(layer);
    if (!name) return name.error();
    image.layers.push_back(*std::move(name));
  }
  return image;
}

}  // namespace

Result<std::vector<DockerImage>> parse_docker_manifest(const std::string& body) {
  bool too_deep = false;
  const auto shallow = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return !too_deep;
  };
  const Json document = Json::parse(body, shallow, /*allow_exceptions=*/false);
  if (too_deep || !document.is_array()) return malformed_archive("it is no list of images");
  if (document.size() > kMostDockerImages) return malformed_archive("it has too many images");
  std::vector<DockerImage> images;
  for (const Json& json : document) {
    Result<DockerImage> image = parse_image(json);
    if (!image) return image.error();
    images.push_back(*std::move(image));
  }
  return images;
}

}  // namespace regfs
