// SPDX-License-Identifier: MIT
#include "fs/parked_read.h"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include "fs/image_blobs.h"

namespace regfs::fs {

void answer_with_failure(const Error& error, Log& log, ReadReply& reply) {
  if (!error.is(Errc::shutting_down) && !error.is(Errc::cancelled)) log.failure(error.context());
  reply.failed(error);
}

class ParkedRead::AnsweredIfThrown {
 public:
  explicit AnsweredIfThrown(ParkedRead& read) : read_(read), before_(std::uncaught_exceptions()) {}
  ~AnsweredIfThrown() {
    if (std::uncaught_exceptions() > before_) read_.drop(read_.take());
  }
  AnsweredIfThrown(const AnsweredIfThrown&) = delete;
  AnsweredIfThrown& operator=(const AnsweredIfThrown&) = delete;

 private:
  ParkedRead& read_;
  const int before_;
};

ParkedRead::ParkedRead(std::shared_ptr<ImageSource> source, const ReadServices& services, std::vector<Slice> slices,
                       std::unique_ptr<ReadReply> reply)
    : source_(std::move(source)), services_(services), slices_(std::move(slices)), parked_at_(services.clock.now()) {
  held_.reply = std::move(reply);
}

ParkedRead::~ParkedRead() {
  drop(take());
  if (stays_near_) source_->reader_left(this);
}

// Until it is answered nothing of there is given up.
void ParkedRead::stay_near(const PendingSlice& slice) {
  stays_near_ = true;
  source_->reader_at(this, slice.slice.blob, slice.slice.offset);
}

void ParkedRead::park(std::vector<PendingSlice> pending) {
  watch_time(services_.read_timeout);
  wait_for(std::move(pending));
}

void ParkedRead::step() {
  if (answered()) return;
  Result<std::vector<PendingSlice>> pending = pending_slices(*source_, slices_);
  if (!pending) return fail(pending.error());
  if (!pending->empty()) return wait_for(std::move(*pending));
  Held held = take();
  if (!held.reply) return;
  const Result<void> answer = answer_with_data(*source_, slices_, *held.reply);
  if (!answer) answer_otherwise(answer.error(), std::move(held.reply));
  drop(std::move(held));
}

// What was there a moment ago may have been given up since, where the layer does not fit in the cache: then it is
// waited for once more.
void ParkedRead::answer_otherwise(const Error& error, std::unique_ptr<ReadReply> reply) {
  Result<std::vector<PendingSlice>> pending = pending_slices(*source_, slices_);
  if (!pending || pending->empty()) return answer_with_failure(error, services_.log, *reply);
  const auto again = std::make_shared<ParkedRead>(source_, services_, slices_, std::move(reply));
  again->stay_near(pending->front());
  again->park(std::move(*pending));
}

void ParkedRead::wait_for(std::vector<PendingSlice> pending) {
  const AnsweredIfThrown guard(*this);
  uint64_t round = 0;
  {
    MutexLock lock(mutex_);
    if (!held_.reply) return;
    held_.pending = pending;
    held_.wait = 0;
    round = ++rounds_;
  }
  const PendingSlice& first = pending.front();
  const cache::Blob::WaitId wait = first.blob->when_readable(
      first.slice.offset, first.slice.length,
      [self = shared_from_this()] { self->services_.replies.submit([self] { self->step(); }); });
  if (wait == 0) return;
  // Anew in every round: what was demanded before may have been dropped since, with its transfers. And after the
  // waiter is in place: then no change of the blob falls between the two.
  std::vector<Demand> demands;
  for (const PendingSlice& each : pending) {
    demands.push_back(source_->demand(each.slice.blob, each.slice.offset, each.slice.length));
  }
  bool still_waits = false;
  {
    MutexLock lock(mutex_);
    still_waits = held_.reply != nullptr && round == rounds_;
    if (still_waits) {
      held_.wait = wait;
      held_.demands.swap(demands);
    }
  }
  if (!still_waits) first.blob->cancel(wait);
}

void ParkedRead::watch_time(std::chrono::milliseconds delay) {
  MutexLock lock(mutex_);
  if (!held_.reply) return;
  held_.timer = services_.timer.after(delay, [weak = weak_from_this()] {
    if (const std::shared_ptr<ParkedRead> self = weak.lock()) self->check_time();
  });
}

void ParkedRead::check_time() {
  const AnsweredIfThrown guard(*this);
  std::vector<PendingSlice> pending;
  {
    MutexLock lock(mutex_);
    if (!held_.reply) return;
    pending = held_.pending;
  }
  const Monotonic::time_point now = services_.clock.now();
  Monotonic::time_point progress = parked_at_;
  for (const PendingSlice& each : pending) {
    // What has come whole is being verified, and waits for no network.
    const bool whole = each.blob->present_bytes() == each.blob->size_bytes();
    progress = std::max(progress, whole ? now : each.blob->last_progress());
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(services_.read_timeout - (now - progress));
  if (left.count() > 0) return watch_time(left);

  const std::string seconds =
      std::to_string(std::chrono::duration_cast<std::chrono::seconds>(services_.read_timeout).count());
  const size_t layer = pending.empty() ? 0 : pending.front().slice.blob;
  Error error = Error(Errc::timed_out, "no byte came for " + seconds + " s (--read-timeout)")
                    .while_doing(layer_name(source_->archive(), source_->name(), layer));
  if (!pending.empty()) source_->ran_out_of_time(layer, error, now);
  services_.replies.submit([self = shared_from_this(), error = std::move(error)] { self->fail(error); });
}

void ParkedRead::fail(const Error& error) {
  Held held = take();
  if (held.reply) answer_with_failure(error, services_.log, *held.reply);
  drop(std::move(held));
}

ParkedRead::Held ParkedRead::take() {
  MutexLock lock(mutex_);
  return std::exchange(held_, Held());
}

void ParkedRead::drop(Held held) {
  if (held.timer) services_.timer.cancel(*held.timer);
  if (held.wait != 0) held.pending.front().blob->cancel(held.wait);
}

bool ParkedRead::answered() {
  MutexLock lock(mutex_);
  return held_.reply == nullptr;
}

}  // namespace regfs::fs
