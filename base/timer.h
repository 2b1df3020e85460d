// SPDX-License-Identifier: MIT
// Runs short jobs at a later time, on one thread named "timer". A job must only hand work on
// (answer a reply, submit to a pool); it must not wait.
#pragma once

#include <chrono>
#include <map>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/job.h"
#include "base/mutex.h"

namespace regfs {

class Log;

class Timer {
 public:
  using Id = std::pair<Monotonic::time_point, uint64_t>;

  // A job that throws a std::exception is logged, if there is a log, and forgotten.
  explicit Timer(Log* log = nullptr);
  ~Timer();  // stop()
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Any thread. After stop() the job is destroyed unrun.
  Id after(std::chrono::milliseconds delay, Job job);
  // True when the job will not run any more; false when it ran, runs now, or never was.
  bool cancel(const Id& id);
  void stop();

 private:
  void run();

  Log* const log_;
  Mutex mutex_;
  CondVar wake_;
  std::map<Id, Job> jobs_ REGFS_GUARDED_BY(mutex_);
  uint64_t next_ REGFS_GUARDED_BY(mutex_) = 1;
  bool stopping_ REGFS_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace regfs
