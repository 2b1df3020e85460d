// SPDX-License-Identifier: MIT
// What the open handles of one image share: its blobs, what their readers wait for, and the prefetch.
//
// ImageFetch is owned jointly by the open handles; when the last lets go, its prefetch ends, transfers
// that serve nobody are cancelled, and what came is kept. ImageSource is the part of it that outlives
// the handles: reads that still wait hold it, and are answered. Both are safe to use from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "cache/blob.h"
#include "fs/image_archive.h"

namespace regfs::fs {

class FetchPlanner;
struct FetchImage;

// While it lives somebody waits for a range of a layer, and that goes before all prefetch. Move-only.
class Demand {
 public:
  Demand() = default;
  Demand(std::shared_ptr<FetchPlanner> planner, uint64_t id) : planner_(std::move(planner)), id_(id) {}
  Demand(Demand&& other) noexcept : planner_(std::move(other.planner_)), id_(other.id_) {}
  Demand& operator=(Demand&& other) noexcept;
  ~Demand() { end(); }

 private:
  void end();

  std::shared_ptr<FetchPlanner> planner_;  // null: nothing is demanded
  uint64_t id_ = 0;
};

class ImageSource {
 public:
  ImageSource(std::shared_ptr<FetchPlanner> planner, std::shared_ptr<FetchImage> image)
      : planner_(std::move(planner)), image_(std::move(image)) {}

  const ImageArchive& archive() const;
  const std::string& name() const;  // "nginx:latest linux/amd64", for the log

  // The Blob of that layer, a number of ImageArchive::blobs. Opened at first use, which touches the disk, and then
  // kept as long as it is to be read; a failure to open is not remembered.
  Result<std::shared_ptr<cache::Blob>> blob(size_t layer);

  // See ImageBlobs.
  void reader_came(const void* reader);
  void reader_at(const void* reader, size_t layer, uint64_t offset);
  void reader_left(const void* reader);
  void ran_out_of_time(size_t layer, const Error& error, Monotonic::time_point now);
  std::optional<Error> out_of_time(size_t layer, Monotonic::time_point now) const;

  // [offset, offset + length) of the layer is waited for from now on. Returns at once; that the bytes are there, or
  // cannot be had, is heard from the Blob. Empty if the blob cannot be opened or the mount is going away.
  Demand demand(size_t layer, uint64_t offset, uint64_t length);

 private:
  friend class ImageFetch;

  const std::shared_ptr<FetchPlanner> planner_;
  const std::shared_ptr<FetchImage> image_;
};

class ImageFetch {
 public:
  explicit ImageFetch(std::shared_ptr<ImageSource> source) : source_(std::move(source)) {}
  ~ImageFetch();
  ImageFetch(const ImageFetch&) = delete;
  ImageFetch& operator=(const ImageFetch&) = delete;

  const std::shared_ptr<ImageSource>& source() const { return source_; }

  const ImageArchive& archive() const { return source_->archive(); }
  const std::string& name() const { return source_->name(); }
  Result<std::shared_ptr<cache::Blob>> blob(size_t layer) { return source_->blob(layer); }
  Demand demand(size_t layer, uint64_t offset, uint64_t length) { return source_->demand(layer, offset, length); }

  // A reader has read enough in sequence and stands here: starts the prefetch of the image, or moves it on.
  // Returns at once.
  void prefetch_from(size_t layer, uint64_t offset);

 private:
  const std::shared_ptr<ImageSource> source_;
};

}  // namespace regfs::fs
