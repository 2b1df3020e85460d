// SPDX-License-Identifier: MIT
// One request under way: puts the bytes of a claimed range into the cache and tells the planner when it ends.
//
// Owned by the planner and by whoever sends the bytes. Bytes come on the http thread, finished() on another that
// need not wait for them; the claim is let go when both are through. A server that sends all of a blob though a piece
// was asked fills what nobody else has claimed, too.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/mutex.h"
#include "base/result.h"
#include "cache/blob.h"
#include "registry/body_sink.h"

namespace regfs::fs {

class FetchPlanner;

class BlobTransfer : public registry::BodySink, public std::enable_shared_from_this<BlobTransfer> {
 public:
  // `number` is the planner's name for it.
  BlobTransfer(std::shared_ptr<FetchPlanner> planner, uint64_t number, std::shared_ptr<cache::Blob> blob,
               cache::Claim claim);

  void began(bool sends_all) override;
  Result<void> write(uint64_t offset, std::span<const std::byte> bytes) override;
  bool spare(uint64_t offset, std::span<const std::byte> bytes) override;
  void interrupted() override;
  void finished(Result<void> outcome) override;

  // For the planner. The first byte that has not come.
  uint64_t reached() const;
  // Leaves the bytes from `from` on to another transfer; false when they may be on their way to the disk, or all is
  // over.
  bool leave_from(uint64_t from);
  // It was never asked for: lets the claim go.
  void give_up();

 private:
  bool enter();  // false: it is over
  void leave();
  void end(Result<void> outcome);

  const std::shared_ptr<FetchPlanner> planner_;
  const uint64_t number_;
  const std::shared_ptr<cache::Blob> blob_;
  std::optional<cache::Claim> claim_;  // used by a write; while none runs by leave_from(); after the last by end()
  std::atomic<uint64_t> attempt_ = 0;
  mutable Mutex mutex_;
  uint64_t reached_ REGFS_GUARDED_BY(mutex_);
  uint64_t end_ REGFS_GUARDED_BY(mutex_);  // of the claim
  bool shortened_ REGFS_GUARDED_BY(mutex_) = false;
  bool writing_ REGFS_GUARDED_BY(mutex_) = false;
  bool closed_ REGFS_GUARDED_BY(mutex_) = false;
  std::optional<Result<void>> late_outcome_ REGFS_GUARDED_BY(mutex_);  // finished() while a write was under way
};

}  // namespace regfs::fs
