// SPDX-License-Identifier: MIT
// Tells a reader that goes through an archive from one that looks here and there.
//
// Readahead sends reads in parallel and they arrive in any order; so what counts is how much of what
// was read lately joins into one run without a hole. Skipping ahead (`tar tf` reads headers and seeks over
// the rest) leaves holes, and never becomes a run. Pure; one per handle; not synchronised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace regfs::fs {

// More than any look at a header, with the kernel's readahead around it; less than anyone minds.
inline constexpr uint64_t kSequentialBytes = 256ull << 10;
// How far a reader goes before the prefetch is told where it is now.
inline constexpr uint64_t kMoveOnBytes = 8ull << 20;
// Runs remembered. Readahead of 1 MiB in pieces of 32 KiB, in the worst order, leaves 16 of them.
inline constexpr size_t kRunsKept = 32;

class ReadSequence {
 public:
  // Notes a read of [offset, offset + length) of the archive, `layer_bytes` of them a layer's. True when the prefetch
  // should start at this read or move on to it: its run holds kSequentialBytes of layers, and the prefetch
  // was not told of a place within kMoveOnBytes of it.
  bool note(uint64_t offset, uint64_t length, uint64_t layer_bytes);

 private:
  struct Run {
    uint64_t begin;
    uint64_t end;
    uint64_t layer_bytes;
  };

  std::vector<Run> runs_;  // apart from each other; the one read last is the last
  uint64_t told_at_ = 0;   // offset of the last read that returned true
  bool told_ = false;
};

}  // namespace regfs::fs
