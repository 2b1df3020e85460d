// SPDX-License-Identifier: MIT
// One read that waits for bytes, without a thread. It is answered once they are there, or cannot be
// had, or none came for the read timeout.
//
// Kept alive by the waiter it leaves with a Blob, or by the job that the waiter hands on; dropped
// unrun, it dies and its reply answers EIO. It holds its demands until it is answered.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "fs/image_fetch.h"
#include "fs/image_file.h"
#include "fs/read_attempt.h"
#include "fs/read_reply.h"
#include "fs/tar_layout.h"

namespace regfs::fs {

// Tells the log and the reader. Nothing is logged of an error that is nobody's fault: cancelled, shutting down.
void answer_with_failure(const Error& error, Log& log, ReadReply& reply);

class ParkedRead : public std::enable_shared_from_this<ParkedRead> {
 public:
  // `services` must outlive it.
  ParkedRead(std::shared_ptr<ImageSource> source, const ReadServices& services, std::vector<Slice> slices,
             std::unique_ptr<ReadReply> reply);

  ~ParkedRead();
  ParkedRead(const ParkedRead&) = delete;
  ParkedRead& operator=(const ParkedRead&) = delete;

  // Once, by who made it.
  void park(std::vector<PendingSlice> pending);

 private:
  // What goes with the reply once it is taken: whoever takes it drops the rest.
  struct Held {
    std::unique_ptr<ReadReply> reply;
    std::vector<PendingSlice> pending;
    std::vector<Demand> demands;
    cache::Blob::WaitId wait = 0;  // with the blob of the first pending slice; 0: none, or it runs by itself
    std::optional<Timer::Id> timer;
  };

  // Answers, as the reply does that is dropped, if what follows throws for want of memory: nothing would come back to
  // it.
  class AnsweredIfThrown;

  void step();
  void wait_for(std::vector<PendingSlice> pending);
  void watch_time(std::chrono::milliseconds delay);
  void check_time();
  void stay_near(const PendingSlice& slice);
  void answer_otherwise(const Error& error, std::unique_ptr<ReadReply> reply);
  void fail(const Error& error);
  Held take();
  void drop(Held held);
  bool answered();

  const std::shared_ptr<ImageSource> source_;
  const ReadServices& services_;
  const std::vector<Slice> slices_;
  const Monotonic::time_point parked_at_;
  bool stays_near_ = false;  // set before it is parked

  Mutex mutex_;
  Held held_ REGFS_GUARDED_BY(mutex_);            // no reply: answered, or being answered
  uint64_t rounds_ REGFS_GUARDED_BY(mutex_) = 0;  // how often it began to wait
};

}  // namespace regfs::fs
