// SPDX-License-Identifier: MIT
// A Blob that cannot be kept: the part of BlobImpl that lets it pass. What is given up was hashed as part of the whole
// before, and what comes back is compared; both on the verifier threads.
#include <algorithm>

#include "cache/blob_impl.h"

namespace regfs::cache {
namespace {

// Between two looks at the queue of the verifier, as Verifier::kStepBytes.
constexpr int kChunksAtOnce = 4;

std::string mebibytes(uint64_t bytes) {
  return std::to_string(bytes >> 20) + " MiB";
}

}  // namespace

struct BlobImpl::ChunkWork {
  StreamWindow::Chunk chunk;
  ByteRange range;
  std::shared_ptr<DiskFile> file;
};

void BlobImpl::begin_stream(uint64_t held_bytes) {
  MutexLock lock(mutex_);
  stream_.emplace(size_, held_bytes);
}

bool BlobImpl::is_stream() const {
  MutexLock lock(mutex_);
  return stream_.has_value();
}

void BlobImpl::reader_at(const void* reader, uint64_t offset) {
  bool due = false;
  {
    MutexLock lock(mutex_);
    if (!stream_) return;
    due = stream_->reader_at(reader, offset) && take_chunk_turn();
  }
  if (due) host_->verify(self());
}

void BlobImpl::reader_left(const void* reader) {
  bool due = false;
  {
    MutexLock lock(mutex_);
    if (!stream_) return;
    stream_->reader_left(reader);
    due = take_chunk_turn();
  }
  if (due) host_->verify(self());
}

uint64_t BlobImpl::arrived_bytes() const {
  const uint64_t present = present_bytes();
  MutexLock lock(mutex_);
  return stream_ ? std::min(present + stream_->out_bytes(), size_) : present;
}

std::optional<ByteRange> BlobImpl::gap_to_claim(ByteRange within) {
  if (!stream_) return lock_gap(within);
  const bool more_room_to_come = !claimed_.empty() || verifying_;
  const bool enough = present_.total() + claimed_.total() >= stream_->enough_bytes();
  if (enough && more_room_to_come) return std::nullopt;
  std::optional<ByteRange> gap = lock_gap(within);
  if (gap) gap->length = std::min(gap->length, stream_->claim_bytes());
  return gap;
}

ByteRange BlobImpl::needed_for(const ByteRange& asked) const {
  MutexLock lock(mutex_);
  if (stream_ && stream_->is_out(asked)) return stream_->chunks_around(asked);
  if (phase_ == Phase::complete || streamed_through() || !overlap(asked, window_)) return asked;
  return stream_ ? ByteRange{hashed_, size_ - hashed_} : ByteRange{0, size_};
}

ByteRange BlobImpl::worth_prefetching() const {
  MutexLock lock(mutex_);
  if (!stream_) return {0, size_};
  const uint64_t end = std::max(stream_->prefetch_end(hashed_), hashed_);
  return {hashed_, end - hashed_};
}

bool BlobImpl::streamed_through() const {
  return stream_ && hashed_ == size_;
}

bool BlobImpl::is_readable_stream(const ByteRange& range) const {
  if (stream_->is_out(range)) return false;
  if (streamed_through()) return true;
  if (overlap(range, window_)) return false;
  // Who reads in order waits for the hash: what has not been hashed cannot be given up.
  const bool in_order = range.offset < present_.covered_until(hashed_);
  return !in_order || range.end() <= hashed_ + stream_->lead_bytes();
}

Result<void> BlobImpl::check_held(uint64_t more_bytes) const {
  if (!stream_ || present_.total() + more_bytes <= stream_->held_bytes()) return {};
  return Error{std::make_error_code(std::errc::no_space_on_device),
               digest_.str() + " (" + mebibytes(size_) +
                   ") does not fit in the cache, so that it can only be read in order, and " +
                   mebibytes(present_.total()) +
                   " of it are waiting for what was left out before them; read it from its "
                   "beginning, or let the cache have more room (--cache-size, --cache-dir)"};
}

std::optional<BlobImpl::ChunkWork> BlobImpl::next_chunk() {
  if (!stream_ || phase_ != Phase::arriving || !file_) return std::nullopt;
  const std::optional<StreamWindow::Chunk> chunk = stream_->next(present_, claimed_, hashed_);
  if (!chunk) return std::nullopt;
  return ChunkWork{*chunk, stream_->chunk(chunk->number), file_};
}

bool BlobImpl::take_chunk_turn() {
  if (verifying_ || !next_chunk()) return false;
  verifying_ = true;
  return true;
}

BlobImpl::Tended BlobImpl::tend_chunks() {
  for (int done = 0; done < kChunksAtOnce; ++done) {
    std::optional<ChunkWork> work;
    {
      MutexLock lock(mutex_);
      work = next_chunk();
      if (!work) return Tended::all;
      if (!work->chunk.is_back) {
        // From here on nobody reads it; and nobody may bring it back before it is gone.
        present_.remove(work->range);
        claimed_.add(work->range);
        stream_->give_up(work->chunk.number);
        ++given_up_;
      }
    }
    Result<void> tended = tend(*work);
    if (!work->chunk.is_back) {
      MutexLock lock(mutex_);
      claimed_.remove(work->range);
    }
    if (!tended) {
      hash_ = Sha256();
      arrived_wrong(std::move(tended).take_error());
      return Tended::dropped;
    }
  }
  return Tended::some;
}

Result<void> BlobImpl::tend(const ChunkWork& work) {
  const StreamWindow::Chunk& chunk = work.chunk;
  Sha256 sum;
  std::optional<Digest> found = chunk.is_back ? std::nullopt : chunk.digest;
  if (!found) {
    Result<void> hashed = hash_range(*work.file, work.range.offset, work.range.end(), sum);
    if (!hashed) return hashed.error().while_doing("verifying " + digest_.str());
    found = sum.finish();
  }
  if (chunk.is_back && *found != *chunk.digest) {
    return Error{Errc::digest_mismatch, "bytes of " + digest_.str() + " were fetched again and are not the same"};
  }
  // Where files cannot have holes, it stays on the disk and is of no use.
  if (!chunk.is_back) (void)work.file->punch(work.range);
  std::vector<Job> ready;
  {
    MutexLock lock(mutex_);
    if (chunk.is_back) {
      stream_->came_back(chunk.number);
      ready = take_waiters_touching(work.range);
    } else {
      stream_->gave_up(chunk.number, *found);
    }
  }
  run(std::move(ready));
  return {};
}

}  // namespace regfs::cache
