// SPDX-License-Identifier: MIT
// Of a blob that the cache cannot keep: what of it is held while its readers go through it.
//
// It is cut into chunks of 1 MiB. One that has been hashed as part of the whole, and that no reader stands near, is
// given up; its own SHA-256 is kept, and when a reader goes back to it, it is fetched again and must match that. So
// what is read twice is the same both times, and what the digest of the whole says holds for all that was read.
//
// Pure values; not synchronised; owned by the Blob.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "base/digest.h"
#include "cache/byte_range.h"
#include "cache/interval_set.h"

namespace regfs::cache {

class StreamWindow {
 public:
  static constexpr uint64_t kChunkBytes = 1ull << 20;
  // Room for a reader, what is fetched ahead of it, and what waits to be hashed.
  static constexpr uint64_t kLeastHeldBytes = 8ull << 20;
  static constexpr uint64_t kMostHeldBytes = 256ull << 20;

  // At most `held_bytes`, within the above, are held at a time.
  StreamWindow(uint64_t size_bytes, uint64_t held_bytes);

  uint64_t held_bytes() const { return held_; }
  uint64_t claim_bytes() const { return held_ / 8; }  // as much as one transfer brings
  // Beyond it nothing more is claimed until what was claimed has come, and what was passed is given up.
  uint64_t enough_bytes() const { return held_ / 4 * 3; }
  // How far readers in order may be ahead of the hash: what is not hashed cannot be given up.
  uint64_t lead_bytes() const { return held_ / 4; }

  // True when it stands at another chunk than before.
  bool reader_at(const void* reader, uint64_t offset);
  void reader_left(const void* reader) { readers_.erase(reader); }
  // How far a prefetch may go, where `hashed` bytes have been.
  uint64_t prefetch_end(uint64_t hashed) const;

  ByteRange chunk(uint64_t number) const;
  ByteRange chunks_around(const ByteRange& range) const;  // all it touches, whole
  bool is_out(const ByteRange& range) const;              // some chunk of it has been given up, and is not back

  struct Chunk {
    uint64_t number;
    bool is_back;                  // to be compared with its digest; else to be given up
    std::optional<Digest> digest;  // known since it was given up for the first time
  };
  // What there is to do with `present` bytes of which the first `hashed` have been hashed. What is being fetched is
  // left alone.
  std::optional<Chunk> next(const IntervalSet& present, const IntervalSet& claimed, uint64_t hashed) const;

  void give_up(uint64_t number) { out_.insert(number); }
  void gave_up(uint64_t number, const Digest& digest) { digests_.insert_or_assign(number, digest); }
  void came_back(uint64_t number) { out_.erase(number); }
  uint64_t out_bytes() const { return out_.size() * kChunkBytes; }
  void forget_chunks();

 private:
  bool is_near_a_reader(const ByteRange& range, bool tight) const;

  const uint64_t size_;
  const uint64_t held_;
  std::map<const void*, uint64_t> readers_;
  std::map<uint64_t, Digest> digests_;  // of chunks that were ever given up
  std::set<uint64_t> out_;              // that are given up now
};

}  // namespace regfs::cache
