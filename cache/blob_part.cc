// SPDX-License-Identifier: MIT
// The part of BlobImpl that concerns its part file once that is on disk: publishing it, recording what has come, and
// exchanging it with other processes.
#include <algorithm>
#include <utility>

#include "cache/blob_impl.h"

namespace regfs::cache {

std::shared_ptr<PartFile> BlobImpl::part_to_publish() const {
  MutexLock lock(mutex_);
  return phase_ == Phase::complete ? part_ : nullptr;
}

void BlobImpl::published(const std::shared_ptr<PartFile>& part) {
  MutexLock lock(mutex_);
  if (part_ == part) part_.reset();  // not a later one, begun because the published file proved wrong
}

void BlobImpl::record_part() {
  std::shared_ptr<PartFile> part;
  IntervalSet present;
  {
    MutexLock lock(mutex_);
    if (phase_ == Phase::checking || !part_ || stream_) return;
    part = part_;
    present = phase_ == Phase::complete ? IntervalSet({0, size_}) : present_;
  }
  // A record is a convenience: one that cannot be written (full disk) costs a download, not a byte.
  (void)record(part, present);
}

Result<void> BlobImpl::record(const std::shared_ptr<PartFile>& part, const IntervalSet& present) {
  Result<IntervalSet> all = part->record(present, PartFile::Sync::no);
  if (!all) return all.error();
  learn(part, *all);
  for (const ByteRange& range : present.ranges()) part->unlock(range);
  return {};
}

bool BlobImpl::exchange_with_others() {
  std::shared_ptr<PartFile> part;
  IntervalSet present;
  {
    MutexLock lock(mutex_);
    if (stream_ || (phase_ == Phase::complete && !part_)) return false;
    if (phase_ == Phase::checking || !part_) return true;
    part = part_;
    present = phase_ == Phase::complete ? IntervalSet({0, size_}) : present_;
  }
  const bool shared = part->shared();
  {
    MutexLock lock(mutex_);
    if (!shared && !was_shared_) return true;
    was_shared_ = true;  // until what the last of the others has left is known
  }
  Result<void> recorded = record(part, present);
  if (!recorded && recorded.error().is(Errc::cancelled)) {
    lost(part);
  } else {
    MutexLock lock(mutex_);
    was_shared_ = shared;
  }
  return true;
}

// Another process removed the part, as one does that finds its bytes wrong.
void BlobImpl::lost(const std::shared_ptr<PartFile>& part) {
  {
    MutexLock lock(mutex_);
    if (part_ != part || phase_ != Phase::arriving) return;
    if (verifying_) return;  // the next exchange looks again
    verifying_ = true;
    hashed_ = 0;
  }
  hash_ = Sha256();
  arrived_wrong({Errc::digest_mismatch, "another process found the bytes received for " + digest_.str() + " wrong"});
}

// Bytes that another process has brought, or this one before.
void BlobImpl::learn(const std::shared_ptr<PartFile>& part, const IntervalSet& recorded) {
  std::vector<Job> ready;
  bool verify_due = false;
  Monotonic::time_point now = host_->clock().now();
  {
    MutexLock lock(mutex_);
    if (part_ != part || phase_ != Phase::arriving) return;
    uint64_t before = present_.total();
    for (const ByteRange& range : recorded.ranges()) present_.add(range);
    if (present_.total() == before) return;
    last_progress_ = now;
    ready = take_waiters_touching({0, size_});
    verify_due = take_verify_turn();
  }
  if (verify_due) host_->verify(self());
  run(std::move(ready));
}

}  // namespace regfs::cache
