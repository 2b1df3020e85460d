// SPDX-License-Identifier: MIT
#include "cache/stream_window.h"

#include <algorithm>

namespace regfs::cache {

StreamWindow::StreamWindow(uint64_t size_bytes, uint64_t held_bytes)
    : size_(size_bytes), held_(std::clamp(held_bytes, kLeastHeldBytes, kMostHeldBytes)) {}

bool StreamWindow::reader_at(const void* reader, uint64_t offset) {
  const auto [place, fresh] = readers_.try_emplace(reader, offset);
  const bool moved = fresh || place->second / kChunkBytes != offset / kChunkBytes;
  place->second = offset;
  return moved;
}

uint64_t StreamWindow::prefetch_end(uint64_t hashed) const {
  uint64_t furthest = 0;
  for (const auto& [reader, offset] : readers_) furthest = std::max(furthest, offset);
  return std::min(std::min(furthest, hashed + lead_bytes()) + held_ / 4, size_);
}

ByteRange StreamWindow::chunk(uint64_t number) const {
  const uint64_t begin = number * kChunkBytes;
  return {begin, std::min(kChunkBytes, size_ - begin)};
}

ByteRange StreamWindow::chunks_around(const ByteRange& range) const {
  const uint64_t begin = range.offset / kChunkBytes * kChunkBytes;
  const uint64_t end = std::min((range.end() + kChunkBytes - 1) / kChunkBytes * kChunkBytes, size_);
  return {begin, end - begin};
}

bool StreamWindow::is_out(const ByteRange& range) const {
  const auto first = out_.lower_bound(range.offset / kChunkBytes);
  return first != out_.end() && *first * kChunkBytes < range.end();
}

// Reads of one reader, sent ahead by the kernel, come in any order; and what is ahead of it was fetched for it.
// Where it gets tight, for many readers or a long wait for the hash, only what is read just now is near.
bool StreamWindow::is_near_a_reader(const ByteRange& range, bool tight) const {
  const uint64_t behind = tight ? kChunkBytes : held_ / 8;
  const uint64_t ahead = tight ? 2 * kChunkBytes : held_ / 4 + kChunkBytes;
  return std::any_of(readers_.begin(), readers_.end(), [&](const auto& reader) {
    return reader.second < range.end() + behind && range.offset < reader.second + ahead;
  });
}

std::optional<StreamWindow::Chunk> StreamWindow::next(const IntervalSet& present, const IntervalSet& claimed,
                                                      uint64_t hashed) const {
  const auto idle = [&](const ByteRange& range) {
    return present.contains(range) && claimed.next_start(range.offset, range.end()) == range.end();
  };
  for (uint64_t number : out_) {
    if (idle(chunk(number))) return Chunk{number, true, digests_.at(number)};
  }
  if (readers_.empty()) return std::nullopt;  // it is to be read yet
  const bool tight = present.total() >= enough_bytes();
  for (const ByteRange& range : present.ranges()) {
    if (range.offset >= hashed) break;
    for (uint64_t number = range.offset / kChunkBytes; number * kChunkBytes < range.end(); ++number) {
      const ByteRange whole = chunk(number);
      if (whole.end() > hashed) break;
      if (out_.contains(number) || !idle(whole) || is_near_a_reader(whole, tight)) continue;
      const auto known = digests_.find(number);
      return Chunk{number, false, known == digests_.end() ? std::nullopt : std::optional(known->second)};
    }
  }
  return std::nullopt;
}

void StreamWindow::forget_chunks() {
  digests_.clear();
  out_.clear();
}

}  // namespace regfs::cache
