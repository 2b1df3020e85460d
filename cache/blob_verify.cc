// SPDX-License-Identifier: MIT
// How a Blob gets from its bytes to a verdict: the part of BlobImpl that runs on the verifier threads.
#include <algorithm>

#include "cache/blob_impl.h"

namespace regfs::cache {
namespace {

// The http thread brings 16 KiB at a time; waking a verifier for each would cost more than it saves.
constexpr uint64_t kWorthATurn = 1ull << 20;

}  // namespace

uint64_t BlobImpl::hashable_end() const {
  switch (phase_) {
    case Phase::checking: return check_bytes_;
    case Phase::arriving: return present_.covered_until(hashed_);
    case Phase::complete: return hashed_;
  }
  return hashed_;
}

bool BlobImpl::take_verify_turn() {
  if (verifying_ || phase_ == Phase::complete || streamed_through()) return false;
  uint64_t end = hashable_end();
  bool due = phase_ == Phase::checking || (end == size_ && size_ > 0) || end - hashed_ >= kWorthATurn;
  if (due) verifying_ = true;
  return due;
}

bool BlobImpl::verify_step() {
  const Tended tended = tend_chunks();
  if (tended != Tended::all) return tended == Tended::some;
  std::shared_ptr<DiskFile> file;
  uint64_t begin = 0;
  uint64_t end = 0;
  bool last = false;
  {
    MutexLock lock(mutex_);
    if (streamed_through()) {
      verifying_ = false;
      return take_chunk_turn();
    }
    begin = hashed_;
    end = std::min(hashable_end(), begin + Verifier::kStepBytes);
    last = end == (phase_ == Phase::checking ? check_bytes_ : size_);
    file = file_;
  }
  Result<void> hashed = hash_range(*file, begin, end, hash_);
  if (last || !hashed) return verify_ended(std::move(hashed));

  std::vector<Job> ready;
  bool again = false;
  {
    MutexLock lock(mutex_);
    hashed_ = end;
    verifying_ = false;
    again = take_verify_turn() || take_chunk_turn();
    if (stream_) ready = take_waiters_touching({begin, size_ - begin});
  }
  run(std::move(ready));
  return again;
}

bool BlobImpl::verify_ended(Result<void> hashed) {
  Digest found = std::exchange(hash_, Sha256()).finish();
  bool checked = false;
  {
    MutexLock lock(mutex_);
    hashed_ = 0;
    checked = phase_ == Phase::checking;
  }
  std::string wrong = "its bytes hash to " + found.str();
  if (hashed && found == digest_) {
    matched();
  } else if (checked) {
    check_ended_wrong(hashed ? wrong : hashed.error().context());
  } else if (hashed) {
    arrived_wrong({Errc::digest_mismatch, "the bytes received for " + digest_.str() + " are not its own: " + wrong});
  } else {
    arrived_wrong(hashed.error().while_doing("verifying " + digest_.str()));
  }
  return false;
}

void BlobImpl::matched() {
  std::vector<Job> ready;
  std::shared_ptr<DiskFile> checked;
  bool publish = false;
  Monotonic::time_point now = host_->clock().now();
  {
    MutexLock lock(mutex_);
    if (phase_ == Phase::checking) checked = file_;
    verifying_ = false;
    if (checked && check_bytes_ != size_) {
      Error lie{Errc::wrong_length, digest_.str() + " has " + std::to_string(check_bytes_) + " bytes, not " +
                                        std::to_string(size_) + " as its descriptor says"};
      failure_ = Failure{std::move(lie), now, true};
    } else if (stream_) {
      hashed_ = size_;
    } else {
      phase_ = Phase::complete;
      present_ = IntervalSet();
      failure_.reset();
      publish = part_ != nullptr;
    }
    ready = take_all_waiters();
  }
  run(std::move(ready));
  if (publish) {
    host_->publish(self());
  } else if (checked) {
    host_->found_right(digest_, *checked);
  }
}

// Nobody has seen a wrong byte of an old cached file: it is as if it had not been there. Whoever
// waits asks anew, and a transfer starts.
void BlobImpl::check_ended_wrong(const std::string& why) {
  std::vector<Job> ready;
  std::shared_ptr<DiskFile> file;
  std::shared_ptr<PartFile> part;
  {
    MutexLock lock(mutex_);
    file = std::exchange(file_, nullptr);
    part = std::exchange(part_, nullptr);
  }
  // Gone from the disk before anybody can claim: a new part file would find the old one in its place.
  if (part) part->discard();
  host_->found_wrong(digest_, *file, why);
  {
    MutexLock lock(mutex_);
    phase_ = Phase::arriving;
    verifying_ = false;
    ready = take_all_waiters();
  }
  run(std::move(ready));
}

void BlobImpl::arrived_wrong(Error error) {
  std::vector<Job> ready;
  std::shared_ptr<PartFile> part;
  Monotonic::time_point now = host_->clock().now();
  {
    MutexLock lock(mutex_);
    bool for_good = failure_ && failure_->for_good;  // shutting down
    if (!for_good) failure_ = Failure{std::move(error), now};
    present_ = IntervalSet();
    if (stream_) stream_->forget_chunks();
    hashed_ = 0;
    checkpoint_bytes_ = 0;
    file_.reset();
    part = std::exchange(part_, nullptr);
    verifying_ = false;
    ready = take_all_waiters();
  }
  if (part) part->discard();
  run(std::move(ready));
  host_->dropped(digest_);
}

void BlobImpl::suspect(const std::shared_ptr<DiskFile>& file) {
  Result<FileFacts> facts = file->facts();
  bool due = false;
  {
    MutexLock lock(mutex_);
    if (phase_ != Phase::complete || file_ != file) return;
    phase_ = Phase::checking;
    check_bytes_ = facts ? facts->size_bytes : size_;
    due = take_verify_turn();
  }
  if (due) host_->verify(self());
}

}  // namespace regfs::cache
