// SPDX-License-Identifier: MIT
#include "base/timer.h"

#include <pthread.h>

#include <exception>

#include "base/log.h"

namespace regfs {

Timer::Timer(Log* log) : log_(log), thread_([this] { run(); }) {}

Timer::~Timer() {
  stop();
}

Timer::Id Timer::after(std::chrono::milliseconds delay, Job job) {
  Monotonic::time_point when = Monotonic::now() + delay;
  MutexLock lock(mutex_);
  Id id{when, next_++};
  if (stopping_) {
    lock.unlock();
    return id;
  }
  bool first = jobs_.empty() || id < jobs_.begin()->first;
  jobs_.emplace(id, std::move(job));
  if (first) wake_.notify_one();
  return id;
}

bool Timer::cancel(const Id& id) {
  Job dropped;
  MutexLock lock(mutex_);
  auto it = jobs_.find(id);
  if (it == jobs_.end()) return false;
  dropped = std::move(it->second);
  jobs_.erase(it);
  lock.unlock();  // `dropped` dies outside the lock
  return true;
}

void Timer::stop() {
  std::map<Id, Job> unrun;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    unrun.swap(jobs_);
    wake_.notify_one();
  }
  unrun.clear();
  if (thread_.joinable()) thread_.join();
}

void Timer::run() {
  pthread_setname_np(pthread_self(), "timer");
  MutexLock lock(mutex_);
  while (!stopping_) {
    if (jobs_.empty()) {
      wake_.wait(lock);
      continue;
    }
    Monotonic::time_point first = jobs_.begin()->first.first;
    if (Monotonic::now() < first) {
      wake_.wait_until(lock, first);
      continue;
    }
    Job job = std::move(jobs_.begin()->second);
    jobs_.erase(jobs_.begin());
    lock.unlock();
    try {
      job();
    } catch (const std::exception& error) {
      if (log_) log_->internal_error("a timer", error);
    }
    job = Job();
    lock.lock();
  }
}

}  // namespace regfs
