// SPDX-License-Identifier: MIT
#include "base/mutex.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>
#include <vector>

namespace regfs::mutex_test {
namespace {

using std::chrono::steady_clock;

// A counter and a flag that only the lock protects.
class Shared {
 public:
  void add_one() {
    MutexLock lock(mutex_);
    ++count_;
  }
  int count() {
    MutexLock lock(mutex_);
    return count_;
  }

 private:
  Mutex mutex_;
  int count_ REGFS_GUARDED_BY(mutex_) = 0;
};

class Flag {
 public:
  void raise() {
    MutexLock lock(mutex_);
    raised_ = true;
    changed_.notify_all();
  }
  void wait() {
    MutexLock lock(mutex_);
    while (!raised_) changed_.wait(lock);
  }
  bool wait_until(steady_clock::time_point deadline) {
    MutexLock lock(mutex_);
    while (!raised_) {
      if (!changed_.wait_until(lock, deadline)) return raised_;
    }
    return true;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool raised_ REGFS_GUARDED_BY(mutex_) = false;
};

TEST(CondVar, GivesUpAtItsDeadline) {
  Flag flag;
  EXPECT_FALSE(flag.wait_until(steady_clock::now() - std::chrono::seconds(1)));
  EXPECT_FALSE(flag.wait_until(steady_clock::now() + std::chrono::milliseconds(1)));
}

TEST(CondVar, WakesWhoeverWaits) {
  Flag flag;
  std::vector<std::thread> waiting;
  for (int i = 0; i < 3; ++i) waiting.emplace_back([&] { flag.wait(); });
  waiting.emplace_back([&] { EXPECT_TRUE(flag.wait_until(steady_clock::now() + std::chrono::minutes(1))); });
  flag.raise();
  for (std::thread& thread : waiting) thread.join();
}

TEST(Mutex, LetsInOneThreadAtATime) {
  Shared shared;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 10'000; ++n) shared.add_one();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(shared.count(), 40'000);
}

TEST(MutexLock, LetsOthersInOnceItIsUnlocked) {
  Mutex mutex;
  MutexLock lock(mutex);
  std::future<void> other = std::async(std::launch::async, [&mutex] { MutexLock theirs(mutex); });
  lock.unlock();
  EXPECT_EQ(other.wait_for(std::chrono::minutes(1)), std::future_status::ready);
  lock.lock();
}

}  // namespace
}  // namespace regfs::mutex_test
