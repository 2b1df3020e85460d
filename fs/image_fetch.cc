// SPDX-License-Identifier: MIT
#include "fs/image_fetch.h"

#include "fs/fetch_planner.h"

namespace regfs::fs {

Demand& Demand::operator=(Demand&& other) noexcept {
  if (this == &other) return *this;
  end();
  planner_ = std::move(other.planner_);
  id_ = other.id_;
  return *this;
}

void Demand::end() {
  if (const std::shared_ptr<FetchPlanner> planner = std::exchange(planner_, nullptr)) planner->remove_demand(id_);
}

const ImageArchive& ImageSource::archive() const {
  return image_->blobs->archive();
}

const std::string& ImageSource::name() const {
  return image_->blobs->name();
}

Result<std::shared_ptr<cache::Blob>> ImageSource::blob(size_t layer) {
  return image_->blobs->open(layer);
}

void ImageSource::reader_came(const void* reader) {
  image_->blobs->reader_came(reader);
}

void ImageSource::reader_at(const void* reader, size_t layer, uint64_t offset) {
  image_->blobs->reader_at(reader, layer, offset);
}

void ImageSource::reader_left(const void* reader) {
  image_->blobs->reader_left(reader);
}

void ImageSource::ran_out_of_time(size_t layer, const Error& error, Monotonic::time_point now) {
  image_->blobs->ran_out_of_time(layer, error, now);
}

std::optional<Error> ImageSource::out_of_time(size_t layer, Monotonic::time_point now) const {
  return image_->blobs->out_of_time(layer, now);
}

Demand ImageSource::demand(size_t layer, uint64_t offset, uint64_t length) {
  if (length == 0) return {};
  Result<std::shared_ptr<cache::Blob>> opened = blob(layer);
  if (!opened) return {};
  return planner_->add_demand(image_, layer, std::move(*opened), {offset, length});
}

ImageFetch::~ImageFetch() {
  source_->planner_->close(source_->image_);
}

void ImageFetch::prefetch_from(size_t layer, uint64_t offset) {
  source_->planner_->prefetch_from(source_->image_, layer, offset);
}

}  // namespace regfs::fs
