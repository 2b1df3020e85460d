// SPDX-License-Identifier: MIT
#include "fs/image_facts.h"

#include "fs/image_archive.h"

namespace regfs::fs {

std::string ImageIdentity::key() const {
  // NUL stands in none of the parts, so no two identities share a key.
  std::string key = "image";
  for (const std::string& part : {repository.str(), tag.value_or(""), manifest.digest.str(), stem}) {
    key += '\0';
    key += part;
  }
  return key;
}

std::string ImageIdentity::name() const {
  registry::Reference reference{repository, manifest.digest};
  if (tag) reference.target = *tag;
  return reference.familiar() + " " + stem;
}

std::shared_ptr<const ImageFacts> image_facts(ImageIdentity identity, const ResolvedImage& image) {
  ImageArchive archive = image_archive(image);
  auto facts = std::make_shared<ImageFacts>(
      ImageFacts{std::move(identity), archive.layout.size_bytes(), image.config.created_seconds, {}, 0});
  for (size_t i = 0; i < archive.blobs.size(); ++i) {
    const registry::Descriptor& layer = archive.blobs[i];
    facts->layers.push_back({layer.digest, layer.size_bytes, archive.layout.blob_archive_offset(i)});
    facts->layer_bytes += layer.size_bytes;
  }
  return facts;
}

}  // namespace regfs::fs
