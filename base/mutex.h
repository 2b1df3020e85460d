// SPDX-License-Identifier: MIT
// Mutex, MutexLock and CondVar with Clang's thread-safety annotations (g++ ignores them).
// libstdc++'s std::mutex is not annotated, hence the thin wrapper.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define REGFS_ANNOTATE(x) __attribute__((x))
#else
#define REGFS_ANNOTATE(x)
#endif

#define REGFS_CAPABILITY(x) REGFS_ANNOTATE(capability(x))
#define REGFS_SCOPED_CAPABILITY REGFS_ANNOTATE(scoped_lockable)
#define REGFS_GUARDED_BY(x) REGFS_ANNOTATE(guarded_by(x))
#define REGFS_REQUIRES(...) REGFS_ANNOTATE(requires_capability(__VA_ARGS__))
#define REGFS_EXCLUDES(...) REGFS_ANNOTATE(locks_excluded(__VA_ARGS__))
#define REGFS_ACQUIRE(...) REGFS_ANNOTATE(acquire_capability(__VA_ARGS__))
#define REGFS_RELEASE(...) REGFS_ANNOTATE(release_capability(__VA_ARGS__))
#define REGFS_ACQUIRED_AFTER(...) REGFS_ANNOTATE(acquired_after(__VA_ARGS__))
#define REGFS_NO_THREAD_SAFETY_ANALYSIS REGFS_ANNOTATE(no_thread_safety_analysis)

namespace regfs {

class REGFS_CAPABILITY("mutex") Mutex {
 public:
  void lock() REGFS_ACQUIRE() { mutex_.lock(); }
  void unlock() REGFS_RELEASE() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

// Holds a Mutex for a scope. unlock() ends it early: callbacks, replies and log lines happen after it.
class REGFS_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) REGFS_ACQUIRE(mutex) : mutex_(mutex), held_(true) { mutex_.lock(); }
  ~MutexLock() REGFS_RELEASE() {
    if (held_) mutex_.unlock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void unlock() REGFS_RELEASE() {
    held_ = false;
    mutex_.unlock();
  }
  void lock() REGFS_ACQUIRE() {
    mutex_.lock();
    held_ = true;
  }

 private:
  Mutex& mutex_;
  bool held_;
};

// Waits on a held MutexLock. Write the condition as a loop at the call: a lambda would hide the
// guarded fields from the analysis.
class CondVar {
 public:
  void wait(MutexLock& lock) REGFS_NO_THREAD_SAFETY_ANALYSIS { condition_.wait(lock); }
  // False when the deadline passed.
  bool wait_until(MutexLock& lock, std::chrono::steady_clock::time_point deadline) REGFS_NO_THREAD_SAFETY_ANALYSIS {
    return condition_.wait_until(lock, deadline) == std::cv_status::no_timeout;
  }
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

 private:
  std::condition_variable_any condition_;
};

}  // namespace regfs
