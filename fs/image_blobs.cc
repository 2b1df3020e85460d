// SPDX-License-Identifier: MIT
#include "fs/image_blobs.h"

#include <algorithm>
#include <utility>

namespace regfs::fs {
namespace {

// Reads that the kernel sends ahead come in any order: a layer is passed when the reader is so far behind its end.
constexpr uint64_t kPassedBytes = 4ull << 20;

uint64_t total_bytes(const ImageArchive& archive) {
  uint64_t bytes = 0;
  for (const registry::Descriptor& layer : archive.blobs) bytes += layer.size_bytes;
  return bytes;
}

}  // namespace

ImageBlobs::ImageBlobs(cache::BlobStore& store, std::shared_ptr<const ImageArchive> archive,
                       registry::Repository repository, std::string name)
    : store_(store),
      archive_(std::move(archive)),
      repository_(std::move(repository)),
      name_(std::move(name)),
      room_(store_.room_short_of(total_bytes(*archive_))),
      blobs_(archive_->blobs.size()) {
  for (const registry::Descriptor& layer : archive_->blobs) pins_.push_back(store_.pin(layer.digest));
}

Result<std::shared_ptr<cache::Blob>> ImageBlobs::open(size_t layer) {
  if (std::shared_ptr<cache::Blob> known = opened(layer)) return known;
  const registry::Descriptor& descriptor = archive_->blobs[layer];
  Result<std::shared_ptr<cache::Blob>> blob =
      store_.blob(descriptor.digest, descriptor.size_bytes, held_bytes_of(descriptor.size_bytes));
  if (!blob) return blob.error();
  bool first = false;
  {
    MutexLock lock(mutex_);
    // The store has one Blob of a digest, so whoever else opened it meanwhile got this one.
    blobs_[layer] = *blob;
    pins_[layer].reset();
    first = counted_.insert(layer).second;
  }
  if (first) store_.count_need(**blob);
  return blob;
}

std::shared_ptr<cache::Blob> ImageBlobs::opened(size_t layer) const {
  MutexLock lock(mutex_);
  return blobs_[layer];
}

// Two streams, one ending and one beginning, and small layers around them have to fit.
std::optional<uint64_t> ImageBlobs::held_bytes_of(uint64_t layer_bytes) const {
  if (!room_ || layer_bytes <= *room_ / 4) return std::nullopt;
  return *room_ / 2;
}

std::optional<uint64_t> ImageBlobs::ahead_bytes() const {
  if (!room_) return std::nullopt;
  return *room_ / 4;
}

void ImageBlobs::reader_came(const void* reader) {
  MutexLock lock(mutex_);
  readers_.try_emplace(reader);
}

void ImageBlobs::reader_at(const void* reader, size_t layer, uint64_t offset) {
  Blobs passed;  // let go after the lock
  std::shared_ptr<cache::Blob> before;
  std::shared_ptr<cache::Blob> here;
  {
    MutexLock lock(mutex_);
    Place& place = readers_[reader];
    if (place.layer != layer) before = blobs_[place.layer];
    place = {layer, offset};
    here = blobs_[layer];
    passed = take_passed();
  }
  if (before) before->reader_left(reader);
  if (here) here->reader_at(reader, offset);
}

void ImageBlobs::reader_left(const void* reader) {
  Blobs passed;
  std::shared_ptr<cache::Blob> last;
  {
    MutexLock lock(mutex_);
    const auto place = readers_.find(reader);
    if (place == readers_.end()) return;
    if (!blobs_.empty()) last = blobs_[place->second.layer];
    readers_.erase(place);
    passed = take_passed();
  }
  if (last) last->reader_left(reader);
}

ImageBlobs::Blobs ImageBlobs::take_passed() {
  Blobs passed;
  if (!room_ || readers_.empty()) return passed;
  uint64_t slowest = UINT64_MAX;
  for (const auto& [reader, place] : readers_) {
    slowest = std::min(slowest, archive_->layout.blob_archive_offset(place.layer) + place.offset);
  }
  for (size_t layer = 0; layer < blobs_.size(); ++layer) {
    const uint64_t end = archive_->layout.blob_archive_offset(layer) + archive_->blobs[layer].size_bytes;
    if (end + kPassedBytes > slowest) break;
    if (blobs_[layer]) passed.push_back(std::move(blobs_[layer]));
    pins_[layer].reset();
  }
  return passed;
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
