// SPDX-License-Identifier: MIT
#include "base/work_pool.h"

#include <pthread.h>

#include <exception>

#include "base/log.h"

namespace regfs {

WorkPool::WorkPool(std::string name, size_t threads, size_t per_key, Log& log)
    : name_(std::move(name)), per_key_(per_key), log_(log) {
  threads_.reserve(threads);
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this, i] { run(i); });
}

WorkPool::~WorkPool() { stop(); }

void WorkPool::submit(const std::string& key, Job job) {
  MutexLock lock(mutex_);
  if (stopping_) {
    lock.unlock();
    return;  // `job` dies here, outside the lock: what it owns may answer
  }
  queue_.push_back({key, std::move(job)});
  wake_.notify_one();
}

void WorkPool::stop() {
  std::deque<Queued> unrun;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    unrun.swap(queue_);
    wake_.notify_all();
  }
  unrun.clear();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

bool WorkPool::take(Queued& out) {
  for (auto it = queue_.begin(); it != queue_.end(); ++it) {
    if (!it->key.empty()) {
      auto running = running_.find(it->key);
      if (running != running_.end() && running->second >= per_key_) continue;
      ++running_[it->key];
    }
    out = std::move(*it);
    queue_.erase(it);
    return true;
  }
  return false;
}

void WorkPool::run(size_t index) {
  pthread_setname_np(pthread_self(), (name_ + "-" + std::to_string(index)).substr(0, 15).c_str());
  MutexLock lock(mutex_);
  while (!stopping_) {
    Queued next;
    if (!take(next)) {
      wake_.wait(lock);
      continue;
    }
    lock.unlock();
    try {
      next.job();
    } catch (const std::exception& e) {
      log_.error(std::string("internal error in a background job: ") + e.what());
    }
    next.job = Job();
    lock.lock();
    if (!next.key.empty()) {
      auto running = running_.find(next.key);
      if (--running->second == 0) running_.erase(running);
      wake_.notify_one();  // a job of this key may have been held back
    }
  }
}

}  // namespace regfs
