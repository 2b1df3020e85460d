// SPDX-License-Identifier: MIT
#include "base/work_pool.h"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/log.h"

namespace regfs {

WorkPool::WorkPool(std::string name, size_t threads, size_t per_key, Log& log)
    : name_(std::move(name)), per_key_(per_key), log_(log), running_(threads) {
  threads_.reserve(threads);
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this, i] { run(i); });
}

WorkPool::~WorkPool() {
  stop();
}

void WorkPool::submit(const std::string& key, Job job) {
  MutexLock lock(mutex_);
  if (stopping_) {
    lock.unlock();
    return;  // `job` dies here, outside the lock: what it owns may answer
  }
  queue_.push_back({key, std::move(job)});
  wake_.notify_one();
}

bool WorkPool::drain(std::chrono::milliseconds patience) {
  auto deadline = std::chrono::steady_clock::now() + patience;
  MutexLock lock(mutex_);
  while (!queue_.empty() || busy_ > 0) {
    if (!idle_.wait_until(lock, deadline)) return queue_.empty() && busy_ == 0;
  }
  return true;
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

// Allocates nothing: no job fails for want of memory before it has begun.
bool WorkPool::take(size_t index, Queued& out) {
  for (auto it = queue_.begin(); it != queue_.end(); ++it) {
    if (!it->key.empty()) {
      const auto same_key = [&](const std::string* key) { return key != nullptr && *key == it->key; };
      if (static_cast<size_t>(std::count_if(running_.begin(), running_.end(), same_key)) >= per_key_) continue;
    }
    out = std::move(*it);
    queue_.erase(it);
    if (!out.key.empty()) running_[index] = &out.key;
    return true;
  }
  return false;
}

void WorkPool::run(size_t index) {
  pthread_setname_np(pthread_self(), (name_ + "-" + std::to_string(index)).substr(0, 15).c_str());
  MutexLock lock(mutex_);
  while (!stopping_) {
    Queued next;
    if (!take(index, next)) {
      wake_.wait(lock);
      continue;
    }
    ++busy_;
    lock.unlock();
    try {
      next.job();
    } catch (const std::exception& error) {
      log_.internal_error("a background job", error);
    }
    next.job = Job();
    lock.lock();
    if (--busy_ == 0) idle_.notify_all();
    if (std::exchange(running_[index], nullptr) != nullptr) {
      wake_.notify_one();  // a job of this key may have been held back
    }
  }
}

}  // namespace regfs
