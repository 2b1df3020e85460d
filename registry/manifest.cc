// SPDX-License-Identifier: MIT
#include "registry/manifest.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/sha256.h"
#include "registry/json_parse.h"
#include "registry/text.h"

namespace regfs::registry {
namespace {

// The archive's size is a signed 64-bit number. A check at run time could never fail.
static_assert(kMaxLayers * kMaxLayerBytes < (1ull << 62), "the sum of all layers fits an archive size");

constexpr size_t kMaxMediaTypeBytes = 255;  // RFC 6838: 127 for each of its halves
constexpr size_t kMaxUrls = 16;             // of one foreign layer
constexpr size_t kMaxUrlBytes = 8192;       // what servers take

enum class Kind { index, manifest };

Error malformed_document(std::string sentence) {
  return {Errc::malformed, std::move(sentence)};
}
Error unsupported(std::string sentence) {
  return {Errc::unsupported, std::move(sentence)};
}

Error wrong_type(std::string_view name, const Json& value, std::string_view wanted) {
  return malformed_document("'" + std::string(name) + "' is " + value.kind() + ", not " + std::string(wanted));
}

// ---- members -------------------------------------------------------------------------------------

// Absent or null is empty.
Result<std::string> text_member(const Json& object, std::string_view name) {
  const Json* value = object.find(name);
  if (value == nullptr) return std::string();
  if (value->string() == nullptr) return wrong_type(name, *value, "a string");
  return *value->string();
}

// Absent is nullptr.
Result<const Json*> object_member(const Json& object, std::string_view name) {
  const Json* value = object.find(name);
  if (value != nullptr && value->object() == nullptr) return wrong_type(name, *value, "an object");
  return value;
}

Result<const Json::Array*> array_member(const Json& object, std::string_view name) {
  const Json* value = object.find(name);
  if (value == nullptr) return static_cast<const Json::Array*>(nullptr);
  if (value->array() == nullptr) return wrong_type(name, *value, "an array");
  return value->array();
}

// ---- media types ---------------------------------------------------------------------------------

std::optional<Kind> kind_of(std::string_view media_type) {
  if (media_type == kDockerManifestList || media_type == kOciIndex) return Kind::index;
  if (media_type == kDockerManifest || media_type == kOciManifest) return Kind::manifest;
  return std::nullopt;
}

bool is_schema_1(std::string_view media_type) {
  return media_type.starts_with("application/vnd.docker.distribution.manifest.v1+");
}

bool is_image_config(std::string_view media_type, std::string_view manifest_type) {
  if (media_type == "application/vnd.docker.container.image.v1+json") return true;
  if (media_type == "application/vnd.oci.image.config.v1+json") return true;
  // Early pushes of Docker schema 2 named these, and Docker still runs the images.
  constexpr std::array<std::string_view, 4> kEarly = {"", "application/octet-stream", "application/json", "text/html"};
  return manifest_type == kDockerManifest && std::find(kEarly.begin(), kEarly.end(), media_type) != kEarly.end();
}

bool is_layer(std::string_view media_type) {
  return media_type.starts_with("application/vnd.docker.image.rootfs.") ||
         media_type.starts_with("application/vnd.oci.image.layer.") || media_type == "application/octet-stream";
}

bool is_foreign_layer(std::string_view media_type) {
  return media_type.starts_with("application/vnd.docker.image.rootfs.foreign.") ||
         media_type.starts_with("application/vnd.oci.image.layer.nondistributable.");
}

Result<std::string> media_type_member(const Json& object) {
  Result<std::string> type = text_member(object, "mediaType");
  if (!type) return type.error();
  bool visible = std::all_of(type->begin(), type->end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!visible || type->size() > kMaxMediaTypeBytes)
    return malformed_document("the media type " + in_quotes(*type) + " is none");
  return type;
}

// ---- descriptors ---------------------------------------------------------------------------------

Result<uint64_t> size_member(const Json& object) {
  const Json* size = object.find("size");
  if (size == nullptr) return malformed_document("'size' is missing");
  if (size->natural() == nullptr) return wrong_type("size", *size, "a number of bytes");
  if (*size->natural() >= kMaxLayerBytes)
    return malformed_document("its size of " + std::to_string(*size->natural()) + " bytes is out of range");
  return *size->natural();
}

Result<Digest> digest_member(const Json& object) {
  const Json* digest = object.find("digest");
  if (digest == nullptr) return malformed_document("'digest' is missing");
  if (digest->string() == nullptr) return wrong_type("digest", *digest, "a string");
  return Digest::parse(*digest->string());
}

// Whether it may be asked: http or https, a host, no user name, nothing that a URL cannot hold.
bool is_web_url(std::string_view url) {
  if (url.size() > kMaxUrlBytes) return false;
  if (!std::all_of(url.begin(), url.end(), [](char c) { return c > 0x20 && c < 0x7f; })) return false;
  size_t authority = url.find("://");
  if (authority == std::string_view::npos) return false;
  std::string scheme = to_lower(url.substr(0, authority));
  if (scheme != "http" && scheme != "https") return false;
  std::string_view rest = url.substr(authority + 3);
  std::string_view host = rest.substr(0, rest.find_first_of("/?#\\"));
  return !host.empty() && host.find('@') == std::string_view::npos;
}

Result<std::vector<std::string>> urls_member(const Json& object) {
  Result<const Json::Array*> entries = array_member(object, "urls");
  if (!entries) return entries.error();
  std::vector<std::string> urls;
  if (*entries == nullptr) return urls;
  for (const Json& entry : **entries) {
    if (entry.string() == nullptr)
      return malformed_document(std::string("'urls' holds ") + entry.kind() + ", not a string");
    if (urls.size() < kMaxUrls && is_web_url(*entry.string())) urls.push_back(*entry.string());
  }
  return urls;
}

const Digest& digest_of_nothing() {
  static const Digest digest = sha256_of("");
  return digest;
}

Result<Descriptor> parse_descriptor(const Json& json) {
  if (json.object() == nullptr) return malformed_document(std::string("it is ") + json.kind() + ", not an object");
  Result<std::string> media_type = media_type_member(json);
  if (!media_type) return media_type.error();
  Result<Digest> digest = digest_member(json);
  if (!digest) return digest.error();
  Result<uint64_t> size = size_member(json);
  if (!size) return size.error();
  // Nothing of it will ever be asked for, and so nothing would show that it is not the one of that digest.
  if (*size == 0 && *digest != digest_of_nothing()) {
    return malformed_document("its size is 0, and " + digest->str() + " is not the digest of nothing");
  }
  Result<std::vector<std::string>> urls = urls_member(json);
  if (!urls) return urls.error();
  if (!is_foreign_layer(*media_type)) urls->clear();
  return Descriptor{std::move(*media_type), *digest, *size, std::move(*urls)};
}

// ---- index ---------------------------------------------------------------------------------------

Result<std::optional<Platform>> platform_member(const Json& entry) {
  Result<const Json*> json = object_member(entry, "platform");
  if (!json) return json.error();
  if (*json == nullptr) return std::optional<Platform>();
  Platform platform;
  const std::pair<std::string_view, std::string*> parts[] = {{"os", &platform.os},
                                                             {"architecture", &platform.architecture},
                                                             {"variant", &platform.variant},
                                                             {"os.version", &platform.os_version}};
  for (const auto& [name, part] : parts) {
    Result<std::string> text = text_member(**json, name);
    if (!text) return text.error().while_doing("platform");
    *part = std::move(*text);
  }
  return std::optional<Platform>(std::move(platform));
}

Result<bool> is_annotated_as_attestation(const Json& entry) {
  Result<const Json*> annotations = object_member(entry, "annotations");
  if (!annotations) return annotations.error();
  const Json* type = *annotations != nullptr ? (*annotations)->find("vnd.docker.reference.type") : nullptr;
  return type != nullptr && type->string() != nullptr && *type->string() == "attestation-manifest";
}

Result<IndexEntry> parse_entry(const Json& json) {
  Result<Descriptor> descriptor = parse_descriptor(json);
  if (!descriptor) return descriptor.error();
  if (descriptor->media_type.empty()) return malformed_document("'mediaType' is missing");
  Result<std::optional<Platform>> platform = platform_member(json);
  if (!platform) return platform.error();
  Result<bool> annotated = is_annotated_as_attestation(json);
  if (!annotated) return annotated.error();
  bool unknown = *platform && (*platform)->os == "unknown" && (*platform)->architecture == "unknown";
  return IndexEntry{std::move(*descriptor), std::move(*platform), *annotated || unknown};
}

Result<Document> parse_index(const Json& document, std::string media_type) {
  Index index{std::move(media_type), {}};
  if (!document.names("manifests")) return malformed_document("'manifests' is missing");
  Result<const Json::Array*> entries = array_member(document, "manifests");
  if (!entries) return entries.error();
  if (*entries == nullptr) return Document(std::move(index));
  if ((*entries)->size() > kMaxIndexEntries) {
    return malformed_document("more than " + std::to_string(kMaxIndexEntries) + " entries");
  }
  for (const Json& json : **entries) {
    Result<IndexEntry> entry = parse_entry(json);
    if (!entry) return entry.error().while_doing("entry " + std::to_string(index.entries.size() + 1) + " of the index");
    index.entries.push_back(std::move(*entry));
  }
  return Document(std::move(index));
}

// ---- manifest ------------------------------------------------------------------------------------

Error not_an_image(const std::string& why) {
  return unsupported("it is not an image: " + why);
}

Result<Descriptor> parse_config_descriptor(const Json& document, std::string_view manifest_type) {
  Result<const Json*> json = object_member(document, "config");
  if (!json) return json.error();
  if (*json == nullptr) return malformed_document("'config' is missing");
  // The type first: an artifact's config may break other rules of images.
  Result<std::string> media_type = media_type_member(**json);
  if (!media_type) return media_type.error().while_doing("config");
  if (!is_image_config(*media_type, manifest_type)) {
    if (media_type->empty()) return malformed_document("config: 'mediaType' is missing");
    Result<std::string> artifact = text_member(document, "artifactType");
    bool named = artifact.has_value() && !artifact->empty();
    return not_an_image(named ? "its artifact type is " + in_quotes(*artifact)
                              : "its config is of the type " + in_quotes(*media_type));
  }
  Result<Descriptor> config = parse_descriptor(**json);
  if (!config) return config.error().while_doing("config");
  if (config->size_bytes > kMaxConfigBytes) {
    return Error{Errc::too_large, "its config of " + std::to_string(config->size_bytes) + " bytes is over " +
                                      std::to_string(kMaxConfigBytes)};
  }
  return config;
}

Result<std::vector<Descriptor>> parse_layers(const Json& document) {
  if (!document.names("layers")) return malformed_document("'layers' is missing");
  Result<const Json::Array*> entries = array_member(document, "layers");
  if (!entries) return entries.error();
  std::vector<Descriptor> layers;
  if (*entries == nullptr) return layers;
  if ((*entries)->size() > kMaxLayers) {
    return malformed_document("more than " + std::to_string(kMaxLayers) + " layers");
  }
  for (const Json& json : **entries) {
    Result<Descriptor> layer = parse_descriptor(json);
    if (layer && layer->media_type.empty()) layer = malformed_document("'mediaType' is missing");
    if (!layer) return layer.error().while_doing("layer " + std::to_string(layers.size() + 1));
    layers.push_back(std::move(*layer));
  }
  return layers;
}

// One digest has one size, whichever descriptor names it.
Result<void> check_sizes(const Descriptor& config, const std::vector<Descriptor>& layers) {
  std::map<Digest, uint64_t> sizes{{config.digest, config.size_bytes}};
  for (size_t i = 0; i < layers.size(); ++i) {
    const uint64_t known = sizes.emplace(layers[i].digest, layers[i].size_bytes).first->second;
    if (known != layers[i].size_bytes) {
      return malformed_document("layer " + std::to_string(i + 1) + ": " + layers[i].digest.str() + " has " +
                                std::to_string(layers[i].size_bytes) + " bytes here and " + std::to_string(known) +
                                " before");
    }
  }
  return {};
}

Result<Document> parse_manifest(const Json& document, std::string media_type) {
  Result<Descriptor> config = parse_config_descriptor(document, media_type);
  if (!config) return config.error();
  Result<std::vector<Descriptor>> layers = parse_layers(document);
  if (!layers) return layers.error();
  // A signature has the config of an image, and layers that are none.
  bool has_layer =
      std::any_of(layers->begin(), layers->end(), [](const Descriptor& d) { return is_layer(d.media_type); });
  if (!layers->empty() && !has_layer) {
    return not_an_image("its content is of the type " + in_quotes(layers->front().media_type));
  }
  if (Result<void> sizes = check_sizes(*config, *layers); !sizes) return sizes.error();
  return Document(Manifest{std::move(media_type), std::move(*config), std::move(*layers)});
}

// ---- which of them -------------------------------------------------------------------------------

Result<void> check_schema(const Json& document, std::string_view media_type) {
  constexpr const char* kSchema1 =
      "it is a manifest of Docker schema 1, the format of before 2016; push the image again";
  if (is_schema_1(media_type)) return unsupported(kSchema1);
  if (const Json* version = document.find("schemaVersion"); version != nullptr) {
    if (version->natural() == nullptr) return wrong_type("schemaVersion", *version, "the number 2");
    if (*version->natural() == 1) return unsupported(kSchema1);
    if (*version->natural() != 2)
      return unsupported("its schemaVersion is " + std::to_string(*version->natural()) + ", not 2");
  }
  bool modern = document.find("layers") != nullptr || document.find("manifests") != nullptr;
  if (document.find("fsLayers") == nullptr) return {};
  if (modern) return malformed_document("it is of Docker schema 1 and of schema 2 at once");
  return unsupported(kSchema1);
}

std::optional<Kind> kind_by_fields(const Json& document) {
  if (document.names("manifests")) return Kind::index;
  if (document.names("layers") || document.names("config")) return Kind::manifest;
  return std::nullopt;
}

// The media type of a document without one: what it was announced as if that is of its kind, else OCI's.
Result<std::string> infer_media_type(const Json& document, std::string_view content_type, std::string_view expected) {
  std::optional<Kind> kind = kind_by_fields(document);
  for (std::string_view announced : {expected, content_type}) {
    std::optional<Kind> announced_kind = kind_of(announced);
    if (announced_kind && (!kind || kind == announced_kind)) return std::string(announced);
    if (announced_kind && announced == expected) {
      return malformed_document("it is not the " + in_quotes(expected) + " that the index calls it");
    }
  }
  if (!kind)
    return malformed_document("it is neither an index nor a manifest: it has no 'manifests', 'config' or 'layers'");
  return std::string(kind == Kind::index ? kOciIndex : kOciManifest);
}

Result<std::string> settle_media_type(const Json& document, const std::string& own_type, std::string_view content_type,
                                      std::string_view expected) {
  if (own_type.empty()) return infer_media_type(document, content_type, expected);
  if (!expected.empty() && own_type != expected) {
    return malformed_document("it calls itself " + in_quotes(own_type) + ", the index calls it " + in_quotes(expected));
  }
  if (!kind_of(own_type)) return not_an_image("its media type is " + in_quotes(own_type));
  return own_type;
}

Result<Document> parse_object(const Json& document, std::string_view content_type, std::string_view expected) {
  if (document.object() == nullptr)
    return malformed_document(std::string("it is ") + document.kind() + ", not an object");
  Result<std::string> own_type = media_type_member(document);
  if (!own_type) return own_type.error();
  if (Result<void> schema = check_schema(document, *own_type); !schema) return schema.error();
  // Two readers could take such a document for two things.
  bool has_manifest = document.find("layers") != nullptr || document.find("config") != nullptr;
  if (has_manifest && document.find("manifests") != nullptr)
    return malformed_document("it has both layers and manifests, so it is an index and an image at once");
  Result<std::string> media_type = settle_media_type(document, *own_type, content_type, expected);
  if (!media_type) return media_type.error();
  if (kind_of(*media_type) == Kind::manifest) return parse_manifest(document, std::move(*media_type));
  if (has_manifest) return malformed_document("it calls itself an index and has a manifest's members");
  return parse_index(document, std::move(*media_type));
}

}  // namespace

Result<Document> parse_document(std::string_view body, std::string_view content_type,
                                std::string_view expected_media_type) {
  if (body.size() > kMaxManifestBytes) {
    return Error{Errc::too_large, "a manifest of " + std::to_string(body.size()) + " bytes is over " +
                                      std::to_string(kMaxManifestBytes)};
  }
  Result<Json> json = parse_json(body);
  if (!json) return json.error().while_doing("the manifest");
  std::string type = to_lower(trim(content_type.substr(0, content_type.find(';'))));
  Result<Document> document = parse_object(*json, type, expected_media_type);
  if (!document) return document.error().while_doing("the manifest");
  return document;
}

}  // namespace regfs::registry
