// SPDX-License-Identifier: MIT
// Where the bytes of blobs come from: the one thing that fetching needs of a registry. Tests hand in
// scripted ones. Safe to use from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "registry/body_sink.h"
#include "registry/client.h"

namespace regfs::fs {

class BlobSource {
 public:
  virtual ~BlobSource() = default;

  using DownloadId = uint64_t;
  // Returns at once; the sink hears the rest. If it throws, for want of memory, the sink hears nothing.
  virtual DownloadId download(registry::BlobRange range, std::shared_ptr<registry::BodySink> sink) = 0;
  // The sink's finished() follows unless it has been called already, maybe on this thread.
  virtual void cancel(DownloadId id) = 0;
};

// `client` must outlive it.
class ClientBlobSource : public BlobSource {
 public:
  explicit ClientBlobSource(registry::Client& client) : client_(client) {}

  DownloadId download(registry::BlobRange range, std::shared_ptr<registry::BodySink> sink) override {
    return client_.download(std::move(range), std::move(sink));
  }
  void cancel(DownloadId id) override { client_.cancel(id); }

 private:
  registry::Client& client_;
};

}  // namespace regfs::fs
