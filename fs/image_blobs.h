// SPDX-License-Identifier: MIT
// The layers of one image as blobs of the cache, each opened at its first use and then kept, which
// keeps it from being evicted. Of an image that does not fit in the cache only what its readers have still to read is
// kept: its larger layers are streams, and all are let go once every reader has passed them. Safe to use from any
// thread.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "cache/store.h"
#include "fs/image_archive.h"
#include "registry/client.h"

namespace regfs::fs {

class ImageBlobs {
 public:
  // `store` must outlive it.
  ImageBlobs(cache::BlobStore& store, std::shared_ptr<const ImageArchive> archive, registry::Repository repository,
             std::string name);

  const ImageArchive& archive() const { return *archive_; }
  const std::string& name() const { return name_; }
  size_t layers() const { return archive_->blobs.size(); }

  // Touches the disk at the first use of a layer. A failure is not remembered.
  Result<std::shared_ptr<cache::Blob>> open(size_t layer);
  // Null when not opened yet.
  std::shared_ptr<cache::Blob> opened(size_t layer) const;

  // A reader has the image open, and reads there now; it is gone. `reader` is never looked into.
  void reader_came(const void* reader);
  void reader_at(const void* reader, size_t layer, uint64_t offset);
  void reader_left(const void* reader);
  // How much may be fetched before anybody asks for it; nullopt: all of the image.
  std::optional<uint64_t> ahead_bytes() const;

  // A read of that layer ran out of time. The kernel asks for a page of a failed readahead once more, and another
  // whole time-out would double what the reader was promised; so it is remembered as long as other failures are, or
  // until a byte comes.
  void ran_out_of_time(size_t layer, const Error& error, Monotonic::time_point now);
  std::optional<Error> out_of_time(size_t layer, Monotonic::time_point now) const;

  // What to ask the registry for.
  registry::BlobRange request(size_t layer, const cache::ByteRange& range) const;

 private:
  using Blobs = std::vector<std::shared_ptr<cache::Blob>>;
  struct Place {
    size_t layer = 0;
    uint64_t offset = 0;
  };
  std::optional<uint64_t> held_bytes_of(uint64_t layer_bytes) const;
  Blobs take_passed() REGFS_REQUIRES(mutex_);

  cache::BlobStore& store_;
  const std::shared_ptr<const ImageArchive> archive_;
  const registry::Repository repository_;
  const std::string name_;
  const std::optional<uint64_t> room_;  // of the cache, when that is less than the image
  mutable Mutex mutex_;
  Blobs blobs_ REGFS_GUARDED_BY(mutex_);               // by layer, null until opened and once passed
  std::set<size_t> counted_ REGFS_GUARDED_BY(mutex_);  // layers, as needed, in what is told of the cache
  std::map<const void*, Place> readers_ REGFS_GUARDED_BY(mutex_);
  // By layer: keep what is cached from being evicted until it is opened.
  std::vector<std::shared_ptr<const void>> pins_ REGFS_GUARDED_BY(mutex_);
  struct TimeOut {
    Error error;
    Monotonic::time_point at;
  };
  std::map<size_t, TimeOut> time_outs_ REGFS_GUARDED_BY(mutex_);  // by layer
};

// For the log: "nginx:latest linux/amd64: layer 3 of 5 (sha256:…)".
std::string layer_name(const ImageArchive& archive, const std::string& image_name, size_t layer);

}  // namespace regfs::fs
