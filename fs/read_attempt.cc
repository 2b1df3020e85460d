// SPDX-License-Identifier: MIT
#include "fs/read_attempt.h"

#include <cstring>
#include <utility>

#include "fs/image_blobs.h"

namespace regfs::fs {
namespace {

// A FUSE read is at most this long (max_read's default), so that a warm read allocates nothing.
constexpr size_t kThreadBufferBytes = 1ull << 20;

class ReadBuffer {
 public:
  explicit ReadBuffer(size_t bytes) {
    thread_local std::unique_ptr<std::byte[]> of_thread;
    if (bytes > kThreadBufferBytes) {
      own_ = std::make_unique_for_overwrite<std::byte[]>(bytes);
    } else if (!of_thread) {
      of_thread = std::make_unique_for_overwrite<std::byte[]>(kThreadBufferBytes);
    }
    bytes_ = {own_ ? own_.get() : of_thread.get(), bytes};
  }
  std::span<std::byte> bytes() const { return bytes_; }

 private:
  std::unique_ptr<std::byte[]> own_;
  std::span<std::byte> bytes_;
};

Error of_layer(const ImageSource& source, size_t layer, const Error& error) {
  return error.while_doing(layer_name(source.archive(), source.name(), layer));
}

// nullopt: readable, or else not yet.
std::optional<Error> failure_of(cache::Blob& blob, const BlobSlice& slice, bool& readable) {
  cache::Blob::Readable state = blob.readable(slice.offset, slice.length);
  if (state == cache::Blob::Readable::failed && blob.retry_if_due()) state = blob.readable(slice.offset, slice.length);
  readable = state == cache::Blob::Readable::yes;
  if (state != cache::Blob::Readable::failed) return std::nullopt;
  return blob.failure();  // absent if another reader's retry cleared it just now
}

}  // namespace

Result<std::vector<PendingSlice>> pending_slices(ImageSource& source, const std::vector<Slice>& slices) {
  std::vector<PendingSlice> pending;
  for (const Slice& slice : slices) {
    if (!slice.blob) continue;
    Result<std::shared_ptr<cache::Blob>> blob = source.blob(slice.blob->blob);
    if (!blob) return of_layer(source, slice.blob->blob, blob.error());
    bool readable = false;
    if (const std::optional<Error> failure = failure_of(**blob, *slice.blob, readable)) {
      return of_layer(source, slice.blob->blob, *failure);
    }
    if (!readable) pending.push_back({*slice.blob, std::move(*blob)});
  }
  return pending;
}

Result<void> answer_with_data(ImageSource& source, const std::vector<Slice>& slices, ReadReply& reply) {
  size_t total = 0;
  for (const Slice& slice : slices) total += slice.length();
  const ReadBuffer buffer(total);
  std::span<std::byte> rest = buffer.bytes();
  for (const Slice& slice : slices) {
    const std::span<std::byte> out = rest.first(slice.length());
    rest = rest.subspan(out.size());
    if (!slice.blob) {
      std::memcpy(out.data(), slice.bytes.data(), out.size());
      continue;
    }
    const Result<std::shared_ptr<cache::Blob>> blob = source.blob(slice.blob->blob);
    if (!blob) return of_layer(source, slice.blob->blob, blob.error());
    const Result<void> read = (*blob)->read(slice.blob->offset, out);
    if (!read) return of_layer(source, slice.blob->blob, read.error());
  }
  reply.data(buffer.bytes());
  return {};
}

}  // namespace regfs::fs
