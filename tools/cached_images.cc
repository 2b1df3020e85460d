// SPDX-License-Identifier: MIT
#include "tools/cached_images.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "registry/manifest.h"
#include "registry/reference.h"

namespace regfs {
namespace {

constexpr int kMostDocumentsPerTag = 10'000;  // as many as one index may have; an index of indexes may name more

std::string familiar(const std::string& repository, const cache::RefStore::KnownTag& known) {
  const std::string name = repository + (known.is_digest() ? "@" : ":") + known.tag;
  Result<registry::Reference> reference = registry::parse_reference(name);
  return reference ? reference->familiar() : name;
}

class Finder {
 public:
  explicit Finder(const cache::Inventory& inventory) : inventory_(inventory) {
    for (const cache::Inventory::Item& item : inventory.items()) {
      uint64_t& present = present_[{item.digest, item.size_bytes}];
      present = std::max(present, item.present_bytes);
    }
  }

  // The manifests in the cache that no tag has led to: of images that were asked for by digest, or imported.
  std::vector<CachedImage> unnamed() {
    std::vector<std::pair<Digest, registry::Manifest>> manifests;
    for (const cache::Inventory::Item& item : inventory_.items()) {
      if (!item.document()) continue;
      const std::optional<std::string> body = inventory_.document(item.digest, registry::kMaxManifestBytes);
      if (!body) continue;
      Result<registry::Document> document = registry::parse_document(*body, {});
      if (!document) continue;
      if (const auto* index = std::get_if<registry::Index>(&*document)) {
        note_attestations(*index);
      } else {
        manifests.emplace_back(item.digest, std::get<registry::Manifest>(*std::move(document)));
      }
    }
    std::vector<CachedImage> found;
    for (const auto& [digest, manifest] : manifests) {
      if (!seen_.contains(digest)) found.push_back(image_of({}, digest, manifest, std::nullopt));
    }
    return found;
  }

  bool has_seen(const Digest& digest) const { return seen_.contains(digest); }

  std::vector<CachedImage> images_of(const std::string& reference, const Digest& digest) {
    std::vector<CachedImage> found;
    documents_ = 0;
    add(reference, digest, std::nullopt, 0, found);
    if (found.empty()) found.push_back({reference, {}, digest, std::nullopt});
    return found;
  }

 private:
  void add(const std::string& reference, const Digest& digest, const std::optional<registry::Platform>& named,
           int depth, std::vector<CachedImage>& found) {
    if (depth > registry::kMaxIndexNesting || ++documents_ > kMostDocumentsPerTag) return;
    const std::optional<std::string> body = inventory_.document(digest, registry::kMaxManifestBytes);
    if (!body) return;
    Result<registry::Document> document = registry::parse_document(*body, {});
    if (!document) return;
    seen_.insert(digest);
    if (const auto* index = std::get_if<registry::Index>(&*document)) {
      note_attestations(*index);
      for (const registry::IndexEntry& entry : index->entries) {
        if (!entry.attestation) add(reference, entry.descriptor.digest, entry.platform, depth + 1, found);
      }
      return;
    }
    found.push_back(image_of(reference, digest, std::get<registry::Manifest>(*document), named));
  }

  CachedImage image_of(const std::string& reference, const Digest& digest, const registry::Manifest& manifest,
                       const std::optional<registry::Platform>& named) const {
    CachedImage image{reference, platform_of(manifest, named), digest, 0};
    std::set<Digest> counted;
    count(manifest.config, counted, image);
    for (const registry::Descriptor& layer : manifest.layers) count(layer, counted, image);
    return image;
  }

  void note_attestations(const registry::Index& index) {
    for (const registry::IndexEntry& entry : index.entries) {
      if (entry.attestation) seen_.insert(entry.descriptor.digest);
    }
  }

  void count(const registry::Descriptor& descriptor, std::set<Digest>& counted, CachedImage& image) const {
    if (!counted.insert(descriptor.digest).second) return;
    *image.size_bytes += descriptor.size_bytes;
    const auto present = present_.find({descriptor.digest, descriptor.size_bytes});
    if (present != present_.end()) image.present_bytes += present->second;
  }

  std::string platform_of(const registry::Manifest& manifest, const std::optional<registry::Platform>& named) const {
    if (named) return named->str();
    const std::optional<std::string> body = inventory_.document(manifest.config.digest, registry::kMaxConfigBytes);
    if (!body) return {};
    Result<registry::ImageConfig> config = registry::parse_image_config(*body);
    return config ? config->platform.str() : std::string();
  }

  const cache::Inventory& inventory_;
  std::map<std::pair<Digest, uint64_t>, uint64_t> present_;
  std::set<Digest> seen_;  // documents that tags have led to, and attestations
  int documents_ = 0;
};

}  // namespace

std::vector<CachedImage> cached_images(const cache::Inventory& inventory, cache::RefStore& refs) {
  Finder finder(inventory);
  std::vector<CachedImage> all;
  auto add = [&all](std::vector<CachedImage> found) {
    all.insert(all.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  };
  std::vector<std::pair<std::string, Digest>> by_digest;
  for (const std::string& repository : refs.repositories()) {
    for (const cache::RefStore::KnownTag& known : refs.known_tags(repository)) {
      const std::string name = familiar(repository, known);
      if (known.is_digest()) {
        by_digest.emplace_back(name, known.record.digest);
      } else {
        add(finder.images_of(name, known.record.digest));
      }
    }
  }
  for (const auto& [name, digest] : by_digest) {
    if (!finder.has_seen(digest)) add(finder.images_of(name, digest));
  }
  add(finder.unnamed());
  return all;
}

}  // namespace regfs
