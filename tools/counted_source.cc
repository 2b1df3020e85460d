// SPDX-License-Identifier: MIT
#include "tools/counted_source.h"

#include <utility>

namespace regfs {
namespace {

class CountedSink : public registry::BodySink {
 public:
  CountedSink(std::shared_ptr<registry::BodySink> sink, std::shared_ptr<ReceivedBytes> count, const Digest& digest)
      : sink_(std::move(sink)), count_(std::move(count)), digest_(digest) {}

  void began(bool sends_all) override { sink_->began(sends_all); }
  Result<void> write(uint64_t offset, std::span<const std::byte> bytes) override {
    count_->received(digest_, bytes.size());
    return sink_->write(offset, bytes);
  }
  bool spare(uint64_t offset, std::span<const std::byte> bytes) override {
    count_->received(digest_, bytes.size());
    return sink_->spare(offset, bytes);
  }
  void interrupted() override { sink_->interrupted(); }
  void finished(Result<void> outcome) override { sink_->finished(std::move(outcome)); }

 private:
  const std::shared_ptr<registry::BodySink> sink_;
  const std::shared_ptr<ReceivedBytes> count_;
  const Digest digest_;
};

}  // namespace

void ReceivedBytes::received(const Digest& digest, uint64_t bytes) {
  MutexLock lock(mutex_);
  bytes_[digest] += bytes;
}

void ReceivedBytes::forget() {
  MutexLock lock(mutex_);
  bytes_.clear();
}

uint64_t ReceivedBytes::of(const Digest& digest) const {
  MutexLock lock(mutex_);
  auto found = bytes_.find(digest);
  return found == bytes_.end() ? 0 : found->second;
}

fs::BlobSource::DownloadId CountedSource::download(registry::BlobRange range,
                                                   std::shared_ptr<registry::BodySink> sink) {
  auto counted = std::make_shared<CountedSink>(std::move(sink), count_, range.digest);
  return source_.download(std::move(range), std::move(counted));
}

}  // namespace regfs
