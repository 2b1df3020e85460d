// SPDX-License-Identifier: MIT
// Which bytes of a file are there: a set of byte ranges that merge where they touch.
//
// Pure values, no lock. Memory goes with the number of separate ranges, not with their length.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "cache/byte_range.h"

namespace regfs::cache {

class IntervalSet {
 public:
  IntervalSet() = default;
  explicit IntervalSet(ByteRange range) { add(range); }

  void add(ByteRange range);     // an empty range is nothing
  void remove(ByteRange range);  // splits what it cuts through

  bool empty() const { return ends_.empty(); }
  uint64_t total() const { return total_; }         // bytes, no walk
  bool contains(ByteRange range) const;             // every byte of it; an empty range always
  uint64_t covered_until(uint64_t position) const;  // end of the range that holds `position`, else `position`
  // Where the first range at or after `position` begins, at most `limit`.
  uint64_t next_start(uint64_t position, uint64_t limit) const;

  std::optional<ByteRange> first_gap(ByteRange within) const;
  std::vector<ByteRange> gaps(ByteRange within) const;
  std::vector<ByteRange> ranges() const;  // ascending, never touching

  friend bool operator==(const IntervalSet&, const IntervalSet&) = default;

 private:
  std::map<uint64_t, uint64_t> ends_;  // begin → end
  uint64_t total_ = 0;
};

// The first stretch of `within` that is in neither set.
std::optional<ByteRange> first_gap_of_both(const IntervalSet& one, const IntervalSet& other, ByteRange within);

}  // namespace regfs::cache
