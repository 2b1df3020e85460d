// SPDX-License-Identifier: MIT
#include "fs/read_sequence.h"

#include <algorithm>

namespace regfs::fs {

bool ReadSequence::note(uint64_t offset, uint64_t length, uint64_t layer_bytes) {
  if (length == 0) return false;
  Run joined{offset, offset + length, 0};
  uint64_t known_bytes = 0;  // of this read, in runs read before
  std::erase_if(runs_, [&](const Run& run) {
    if (run.end < offset || run.begin > offset + length) return false;
    known_bytes += std::min(run.end, offset + length) - std::max(run.begin, offset);
    joined.begin = std::min(joined.begin, run.begin);
    joined.end = std::max(joined.end, run.end);
    joined.layer_bytes += run.layer_bytes;
    return true;
  });
  joined.layer_bytes += std::min(layer_bytes, length - known_bytes);
  if (runs_.size() == kRunsKept) runs_.erase(runs_.begin());
  runs_.push_back(joined);

  if (layer_bytes == 0 || joined.layer_bytes < kSequentialBytes) return false;
  const uint64_t moved = offset > told_at_ ? offset - told_at_ : told_at_ - offset;
  if (told_ && moved < kMoveOnBytes) return false;
  told_ = true;
  told_at_ = offset;
  return true;
}

}  // namespace regfs::fs
