// SPDX-License-Identifier: MIT
// Counts who is inside, so that an owner can close the door and wait until everybody has left. Safe to use
// from any thread.
#pragma once

#include <cstddef>

#include "base/mutex.h"

namespace regfs::registry {

class Gate {
 public:
  // Inside for a scope, if the gate was still open.
  class Pass {
   public:
    explicit Pass(Gate& gate) : gate_(gate), inside_(gate.enter()) {}
    ~Pass() {
      if (inside_) gate_.leave();
    }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    explicit operator bool() const { return inside_; }

   private:
    Gate& gate_;
    const bool inside_;
  };

  // Nobody enters any more; who is inside stays.
  void close() {
    MutexLock lock(mutex_);
    closed_ = true;
  }
  // Waits until nobody is inside. After close(), and not from inside.
  void wait_empty() {
    MutexLock lock(mutex_);
    while (inside_ > 0) empty_.wait(lock);
  }

 private:
  bool enter() {
    MutexLock lock(mutex_);
    if (closed_) return false;
    ++inside_;
    return true;
  }
  void leave() {
    MutexLock lock(mutex_);
    if (--inside_ == 0) empty_.notify_all();
  }

  Mutex mutex_;
  CondVar empty_;
  size_t inside_ REGFS_GUARDED_BY(mutex_) = 0;
  bool closed_ REGFS_GUARDED_BY(mutex_) = false;
};

}  // namespace regfs::registry
