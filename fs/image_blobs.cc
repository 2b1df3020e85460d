// SPDX-License-Identifier: MIT
#include "fs/image_blobs.h"

#include <utility>

namespace regfs::fs {

ImageBlobs::ImageBlobs(cache::BlobStore& store, std::shared_ptr<const ImageArchive> archive,
                       registry::Repository repository, std::string name)
    : store_(store),
      archive_(std::move(archive)),
      repository_(std::move(repository)),
      name_(std::move(name)),
      blobs_(archive_->blobs.size()) {
  for (const registry::Descriptor& layer : archive_->blobs) pins_.push_back(store_.pin(layer.digest));
}

Result<std::shared_ptr<cache::Blob>> ImageBlobs::open(size_t layer) {
  if (std::shared_ptr<cache::Blob> known = opened(layer)) return known;
  const registry::Descriptor& descriptor = archive_->blobs[layer];
  Result<std::shared_ptr<cache::Blob>> blob = store_.blob(descriptor.digest, descriptor.size_bytes);
  if (!blob) return blob.error();
  MutexLock lock(mutex_);
  // The store has one Blob of a digest, so whoever else opened it meanwhile got this one.
  blobs_[layer] = *blob;
  pins_[layer].reset();
  return blob;
}

std::shared_ptr<cache::Blob> ImageBlobs::opened(size_t layer) const {
  MutexLock lock(mutex_);
  return blobs_[layer];
}

void ImageBlobs::ran_out_of_time(size_t layer, const Error& error, Monotonic::time_point now) {
  MutexLock lock(mutex_);
  time_outs_.insert_or_assign(layer, TimeOut{error, now});
}

std::optional<Error> ImageBlobs::out_of_time(size_t layer, Monotonic::time_point now) const {
  MutexLock lock(mutex_);
  const auto known = time_outs_.find(layer);
  if (known == time_outs_.end() || now - known->second.at >= cache::kFailureMemory) return std::nullopt;
  if (blobs_[layer] && blobs_[layer]->last_progress() > known->second.at) return std::nullopt;
  return known->second.error;
}

registry::BlobRange ImageBlobs::request(size_t layer, const cache::ByteRange& range) const {
  const registry::Descriptor& descriptor = archive_->blobs[layer];
  return {repository_, descriptor.digest, descriptor.size_bytes, range.offset, range.length, descriptor.urls};
}

std::string layer_name(const ImageArchive& archive, const std::string& image_name, size_t layer) {
  return image_name + ": layer " + std::to_string(layer + 1) + " of " + std::to_string(archive.blobs.size()) + " (" +
         archive.blobs[layer].digest.str() + ")";
}

}  // namespace regfs::fs
