// SPDX-License-Identifier: MIT
#include "fs/image_file.h"

#include <algorithm>
#include <utility>

#include "fs/parked_read.h"
#include "fs/read_attempt.h"

namespace regfs::fs {

ImageFile::ImageFile(std::shared_ptr<ImageFetch> fetch, const ReadServices& services)
    : fetch_(std::move(fetch)), services_(services) {
  fetch_->source()->reader_came(this);
}

ImageFile::~ImageFile() {
  fetch_->source()->reader_left(this);
}

void ImageFile::read(uint64_t offset, size_t length, std::unique_ptr<ReadReply> reply) {
  std::vector<Slice> slices = fetch_->archive().layout.slices(offset, length);
  if (slices.empty()) return reply->data({});
  follow(slices, offset);
  Result<std::vector<PendingSlice>> pending = pending_slices(*fetch_->source(), slices);
  if (!pending) return answer_with_failure(pending.error(), services_.log, *reply);
  if (pending->empty()) {
    const Result<void> answer = answer_with_data(*fetch_->source(), slices, *reply);
    if (answer) return;
    // A cached file that went bad under us is verified again, and fetched if wrong: that is worth one wait.
    pending = pending_slices(*fetch_->source(), slices);
    if (!pending || pending->empty()) return answer_with_failure(answer.error(), services_.log, *reply);
  }
  const size_t layer = pending->front().slice.blob;
  if (std::optional<Error> error = fetch_->source()->out_of_time(layer, services_.clock.now())) {
    return answer_with_failure(*error, services_.log, *reply);
  }
  std::make_shared<ParkedRead>(fetch_->source(), services_, std::move(slices), std::move(reply))
      ->park(std::move(*pending));
}

void ImageFile::follow(const std::vector<Slice>& slices, uint64_t offset) {
  uint64_t length = 0;
  uint64_t layer_bytes = 0;
  std::optional<BlobSlice> here;
  for (const Slice& slice : slices) {
    length += slice.length();
    if (!slice.blob) continue;
    layer_bytes += slice.blob->length;
    if (!here) here = slice.blob;
  }
  bool tell = false;
  {
    MutexLock lock(mutex_);
    tell = sequence_.note(offset, length, layer_bytes);
  }
  if (here) fetch_->source()->reader_at(this, here->blob, here->offset);
  if (tell && here) fetch_->prefetch_from(here->blob, here->offset);
}

}  // namespace regfs::fs
