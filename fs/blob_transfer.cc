// SPDX-License-Identifier: MIT
#include "fs/blob_transfer.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "fs/fetch_planner.h"

namespace regfs::fs {

BlobTransfer::BlobTransfer(std::shared_ptr<FetchPlanner> planner, uint64_t number, std::shared_ptr<cache::Blob> blob,
                           cache::Claim claim)
    : planner_(std::move(planner)),
      number_(number),
      blob_(std::move(blob)),
      claim_(std::move(claim)),
      reached_(claim_->range().offset),
      end_(claim_->range().end()) {}

bool BlobTransfer::enter() {
  MutexLock lock(mutex_);
  if (!closed_) writing_ = true;
  return !closed_;
}

void BlobTransfer::leave() {
  MutexLock lock(mutex_);
  writing_ = false;
  if (!late_outcome_) return;
  Result<void> outcome = std::move(*late_outcome_);
  lock.unlock();
  // What to fetch next is not for the http thread to decide.
  try {
    planner_->pool().submit([self = shared_from_this(), outcome]() mutable { self->end(std::move(outcome)); });
  } catch (const std::exception&) {
    end(std::move(outcome));  // without memory better here than never
  }
}

void BlobTransfer::began(bool sends_all) {
  planner_->pool().submit([self = shared_from_this(), attempt = attempt_.load(), sends_all] {
    self->planner_->transfer_began(self->number_, attempt, sends_all);
  });
}

Result<void> BlobTransfer::write(uint64_t offset, std::span<const std::byte> bytes) {
  if (!enter()) return Error(Errc::cancelled, "the transfer has ended");
  Result<void> written = claim_->write(offset, bytes);
  {
    MutexLock lock(mutex_);
    if (written) reached_ = std::min(offset + bytes.size(), end_);
    // The rest is on its way by another connection.
    if (written && shortened_ && reached_ == end_) written = Error(Errc::cancelled, "the rest was left to another");
  }
  leave();
  return written;
}

bool BlobTransfer::spare(uint64_t offset, std::span<const std::byte> bytes) {
  if (!enter()) return false;
  const uint64_t end = offset + bytes.size();
  // Of a stream what lies before is passed, and behind only so much is wanted as can be held.
  const bool stream = blob_->is_stream();
  if (stream && offset < claim_->range().offset) {
    leave();
    return true;
  }
  bool wanted = true;
  for (uint64_t at = offset; at < end && wanted;) {
    std::optional<cache::Claim> gap = blob_->claim(at, end - at);
    if (!gap) {  // here, or claimed; or there is no room for more
      wanted = !stream;
      break;
    }
    const cache::ByteRange range = gap->range();
    wanted = gap->write(range.offset, bytes.subspan(range.offset - offset, range.length)).has_value();
    at = range.end();
  }
  wanted = wanted && blob_->present_bytes() < blob_->size_bytes();
  leave();
  return wanted;
}

void BlobTransfer::interrupted() {
  ++attempt_;
  planner_->transfer_interrupted(number_);
}

void BlobTransfer::finished(Result<void> outcome) {
  {
    MutexLock lock(mutex_);
    if (closed_) return;
    closed_ = true;
    if (shortened_ && reached_ == end_) outcome = {};
    if (writing_) {
      late_outcome_ = std::move(outcome);
      return;
    }
  }
  end(std::move(outcome));
}

uint64_t BlobTransfer::reached() const {
  MutexLock lock(mutex_);
  return reached_;
}

bool BlobTransfer::leave_from(uint64_t from) {
  MutexLock lock(mutex_);
  if (closed_ || writing_ || from <= reached_ || from >= end_) return false;
  claim_->shorten(from);
  end_ = from;
  shortened_ = true;
  return true;
}

void BlobTransfer::give_up() {
  {
    MutexLock lock(mutex_);
    closed_ = true;
  }
  claim_.reset();
}

void BlobTransfer::end(Result<void> outcome) {
  claim_.reset();  // first, so that the planner finds the rest free
  planner_->transfer_ended(number_, std::move(outcome));
}

}  // namespace regfs::fs
