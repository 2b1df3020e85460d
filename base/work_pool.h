// SPDX-License-Identifier: MIT
// A fixed number of named threads that run queued jobs, oldest first.
//
// A job may carry a key (a registry's host); at most `per_key` jobs of one key run at once, so that
// one dead registry cannot hold every thread. A job that throws is a broken invariant except for
// std::exception, which is logged: this is one of the four exception fences.
#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "base/job.h"
#include "base/mutex.h"

namespace regfs {

class Log;

class WorkPool {
 public:
  // Threads are called "<name>-0" … in ps -L. `log` must outlive the pool.
  WorkPool(std::string name, size_t threads, size_t per_key, Log& log);
  ~WorkPool();  // stop()
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;

  // Any thread. After stop() the job is destroyed unrun.
  void submit(Job job) { submit(std::string(), std::move(job)); }
  void submit(const std::string& key, Job job);  // an empty key is never limited

  // Waits at most so long until nothing is queued or running; false when something still is. Not from a job.
  bool drain(std::chrono::milliseconds patience);

  // Runs no further job, destroys those queued, waits for those running. Idempotent; not from a job.
  void stop();

 private:
  struct Queued {
    std::string key;
    Job job;
  };
  void run(size_t index);
  bool take(size_t index, Queued& out) REGFS_REQUIRES(mutex_);

  const std::string name_;
  const size_t per_key_;
  Log& log_;
  Mutex mutex_;
  CondVar wake_;
  CondVar idle_;
  size_t busy_ REGFS_GUARDED_BY(mutex_) = 0;  // threads in a job
  std::deque<Queued> queue_ REGFS_GUARDED_BY(mutex_);
  std::vector<const std::string*> running_ REGFS_GUARDED_BY(mutex_);  // by thread: the key of its job, or null
  bool stopping_ REGFS_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace regfs
