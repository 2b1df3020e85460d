// SPDX-License-Identifier: MIT
#include "registry/blob_attempt.h"

#include <algorithm>
#include <charconv>

#include "registry/content_range.h"
#include "registry/refusal.h"

namespace regfs::registry {
namespace {

// One that is no length is taken for the largest, which none of ours is: what cannot be believed is refused.
std::optional<uint64_t> content_length(const HttpHead& head) {
  std::optional<std::string> value = head.headers.first("Content-Length");
  if (!value) return std::nullopt;
  uint64_t length = 0;
  auto [stop, failure] = std::from_chars(value->data(), value->data() + value->size(), length);
  if (failure != std::errc() || stop != value->data() + value->size()) return UINT64_MAX;
  return length;
}

}  // namespace

BlobAttempt::BlobAttempt(BlobWant want, std::shared_ptr<BlobReceiver> receiver) : receiver_(std::move(receiver)) {
  end_.reached = want.begin;
  end_.want = std::move(want);
}

bool BlobAttempt::on_head(const HttpHead& head) {
  end_.head = head;
  if (head.status == 200) return take_whole(head);
  if (head.status == 206) return take_partial(head);
  // The 416 of docker-registry announces the length of the blob and sends a sentence.
  return head.status != 416;
}

bool BlobAttempt::take_whole(const HttpHead& head) {
  carries_blob_ = true;
  body_end_ = end_.want.size_bytes;
  const std::optional<uint64_t> length = content_length(head);
  length_unknown_ = !length;
  end_.wrong_length = length.value_or(body_end_) != body_end_;
  return !end_.wrong_length;
}

bool BlobAttempt::take_partial(const HttpHead& head) {
  std::optional<ContentRange> range = parse_content_range(head.headers.first("Content-Range").value_or(""));
  const BlobWant& want = end_.want;
  const std::optional<uint64_t> length = content_length(head);
  bool good = want.ranged && range && range->first == want.begin && range->last < want.end &&
              range->size_bytes.value_or(want.size_bytes) == want.size_bytes &&
              length.value_or(range->last - range->first + 1) == range->last - range->first + 1;
  if (!good) {
    end_.bad_range = true;
    return false;
  }
  carries_blob_ = true;
  length_unknown_ = !length;
  position_ = range->first;
  body_end_ = range->last + 1;
  return true;
}

bool BlobAttempt::on_body(std::span<const std::byte> bytes) {
  if (!carries_blob_) {
    size_t wanted = std::min(bytes.size(), kMaxErrorBodyBytes - end_.body.size());
    end_.body.append(reinterpret_cast<const char*>(bytes.data()), wanted);
    return end_.body.size() < kMaxErrorBodyBytes;
  }
  if (bytes.empty()) return true;
  const auto left = static_cast<size_t>(body_end_ - position_);
  end_.too_long = held_back_ || bytes.size() > left;
  if (held_back_) return false;
  if (end_.too_long) bytes = bytes.first(left);
  if (length_unknown_ && bytes.size() == left && left > 0) {
    held_back_ = bytes.back();
    bytes = bytes.first(left - 1);
  }
  return hand_on(bytes) && !end_.too_long;
}

bool BlobAttempt::hand_on(std::span<const std::byte> bytes) {
  if (!begun_ && !bytes.empty()) {
    begun_ = true;
    receiver_->began(body_end_ - position_ > end_.want.end - end_.want.begin);
  }
  const uint64_t before = end_.want.begin;
  const uint64_t behind = end_.want.end;
  bool goes_on = offer_spare(0, before, bytes) && take_bytes(bytes) && offer_spare(behind, body_end_, bytes);
  position_ += bytes.size();
  return goes_on;
}

// The part of the bytes that is missing. What was accepted before is skipped.
bool BlobAttempt::take_bytes(std::span<const std::byte> bytes) {
  uint64_t from = std::max(position_, end_.reached);
  uint64_t until = std::min(position_ + bytes.size(), end_.want.end);
  if (from >= until) return true;
  std::optional<Result<void>> taken =
      receiver_->take(from, bytes.subspan(static_cast<size_t>(from - position_), static_cast<size_t>(until - from)));
  if (!taken) return false;
  if (!*taken) {
    end_.sink_error = taken->error();
    return false;
  }
  end_.reached = until;
  return true;
}

// The part of the bytes that lies in [begin, end) of the blob. False when the answer may end here.
bool BlobAttempt::offer_spare(uint64_t begin, uint64_t end, std::span<const std::byte> bytes) {
  uint64_t from = std::max(position_, begin);
  uint64_t until = std::min(position_ + bytes.size(), end);
  if (from < until && spare_wanted_) {
    spare_wanted_ =
        receiver_->spare(from, bytes.subspan(static_cast<size_t>(from - position_), static_cast<size_t>(until - from)));
  }
  bool satisfied = end_.reached == end_.want.end && body_end_ > end_.want.end;
  return spare_wanted_ || !satisfied;
}

void BlobAttempt::on_done(Result<void> outcome, TransportFailure failure) {
  if (outcome && held_back_) hand_on({&*held_back_, 1});
  end_.clean = outcome.has_value() || end_.reached == end_.want.end;
  if (!outcome) {
    end_.error = std::move(outcome).take_error();
    end_.failure = failure;
  }
  receiver_->ended(std::move(end_));
}

}  // namespace regfs::registry
