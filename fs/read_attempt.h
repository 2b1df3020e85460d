// SPDX-License-Identifier: MIT
// One look at whether a read can be answered now, and the answer itself. Touches the disk, never waits
// for the network. Any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "cache/blob.h"
#include "fs/image_fetch.h"
#include "fs/read_reply.h"
#include "fs/tar_layout.h"

namespace regfs::fs {

struct PendingSlice {
  BlobSlice slice;
  std::shared_ptr<cache::Blob> blob;
};

// What is not readable yet; empty: all is. A blob that has failed is the error, naming its layer, unless
// the failure was so long ago that it has now been forgotten.
Result<std::vector<PendingSlice>> pending_slices(ImageSource& source, const std::vector<Slice>& slices);

// All slices are readable. Reads them into one buffer and answers, or returns why not; the reply is then still to be
// answered.
Result<void> answer_with_data(ImageSource& source, const std::vector<Slice>& slices, ReadReply& reply);

}  // namespace regfs::fs
