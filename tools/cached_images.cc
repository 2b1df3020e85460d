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

std::string familiar(const std::string& repository, const std::string& tag) {
  Result<registry::Reference> reference = registry::parse_reference(repository + ":" + tag);
  return reference ? reference->familiar() : repository + ":" + tag;
}

class Finder {
 public:
  explicit Finder(const cache::Inventory& inventory) : inventory_(inventory) {
    for (const cache::Inventory::Item& item : inventory.items()) {
      uint64_t& present = present_[{item.digest, item.size_bytes}];
      present = std::max(present, item.present_bytes);
    }
  }

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
    if (const auto* index = std::get_if<registry::Index>(&*document)) {
      for (const registry::IndexEntry& entry : index->entries) {
        if (!entry.attestation) add(reference, entry.descriptor.digest, entry.platform, depth + 1, found);
      }
      return;
    }
    const auto& manifest = std::get<registry::Manifest>(*document);
    CachedImage image{reference, platform_of(manifest, named), digest, 0};
    std::set<Digest> counted;
    count(manifest.config, counted, image);
    for (const registry::Descriptor& layer : manifest.layers) count(layer, counted, image);
    found.push_back(std::move(image));
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
  int documents_ = 0;
};

}  // namespace

std::vector<CachedImage> cached_images(const cache::Inventory& inventory, cache::RefStore& refs) {
  Finder finder(inventory);
  std::vector<CachedImage> all;
  for (const std::string& repository : refs.repositories()) {
    for (const cache::RefStore::KnownTag& known : refs.known_tags(repository)) {
      std::vector<CachedImage> found = finder.images_of(familiar(repository, known.tag), known.record.digest);
      all.insert(all.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
    }
  }
  return all;
}

}  // namespace regfs
