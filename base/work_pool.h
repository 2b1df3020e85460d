// SPDX-License-Identifier: MIT
// A fixed number of named threads that run queued jobs, oldest first.
//
// A job may carry a key (a registry's host); at most `per_key` jobs of one key run at once, so that
// one dead registry cannot hold every thread. A job that throws is a broken invariant except for
// std::exception, which is logged: this is one of the four exception fences.
#pragma once

#include <deque>
#include <map>
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

  // Runs no further job, destroys those queued, waits for those running. Idempotent; not from a job.
  void stop();

 private:
  struct Queued {
    std::string key;
    Job job;
  };
  void run(size_t index);
  bool take(Queued& out) REGFS_REQUIRES(mutex_);

  const std::string name_;
  const size_t per_key_;
  Log& log_;
  Mutex mutex_;
  CondVar wake_;
  std::deque<Queued> queue_ REGFS_GUARDED_BY(mutex_);
  std::map<std::string, size_t> running_ REGFS_GUARDED_BY(mutex_);  // by key, keys in use only
  bool stopping_ REGFS_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace regfs
