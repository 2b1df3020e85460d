// SPDX-License-Identifier: MIT
#include "base/work_pool.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <future>
#include <latch>
#include <optional>
#include <stdexcept>
#include <vector>

#include "tests/base/job_probes.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_log.h"

namespace regfs::work_pool_test {
namespace {

using test::at_death;
using test::Gate;

class WorkPoolTest : public ::testing::Test {
 protected:
  void start(size_t threads, size_t per_key = 1) { pool_.emplace("worker", threads, per_key, log_.log()); }
  WorkPool& pool() { return *pool_; }
  // Returns once everything submitted so far to a pool of one thread has run.
  void drain() {
    Gate done;
    pool().submit([&done] { done.open(); });
    done.pass();
  }

  test::FakeClock clock_;
  test::MemoryLog log_{clock_};
  std::optional<WorkPool> pool_;
};

TEST_F(WorkPoolTest, DrainSaysWhetherAJobIsStillAtWork) {
  start(1);
  Gate hold;
  pool().submit([&hold] { hold.pass(); });
  EXPECT_FALSE(pool().drain(std::chrono::milliseconds(5)));
  hold.open();
  EXPECT_TRUE(pool().drain(std::chrono::minutes(1)));
}

TEST_F(WorkPoolTest, LogsAJobThatThrowsAndGoesOn) {
  start(1);
  pool().submit([] { throw std::runtime_error("the disk is square"); });
  drain();
  EXPECT_EQ(log_.count("the disk is square"), 1U);
}

TEST_F(WorkPoolTest, GivesTheKeyBackWhenAJobThrows) {
  start(1, 1);
  bool ran = false;
  pool().submit("host", [] { throw std::runtime_error("no"); });
  pool().submit("host", [&ran] { ran = true; });
  drain();
  EXPECT_TRUE(ran);
}

TEST_F(WorkPoolTest, DestroysQueuedJobsUnrunWhenItStops) {
  start(1);
  Gate started, gate, destroyed;
  std::atomic<bool> ran = false;
  pool().submit([&] {
    started.open();
    gate.pass();
  });
  started.pass();
  pool().submit([&ran, token = at_death([&destroyed] { destroyed.open(); })] { ran = true; });
  std::future<void> stopped = std::async(std::launch::async, [&] { pool().stop(); });
  destroyed.pass();  // while the first job still runs: whoever waits for the second is answered at once
  gate.open();
  stopped.get();
  EXPECT_FALSE(ran);
}

TEST_F(WorkPoolTest, WaitsForRunningJobsWhenItStops) {
  start(2);
  Gate started;
  std::atomic<bool> finished = false;
  pool().submit([&] {
    started.open();
    std::this_thread::yield();
    finished = true;
  });
  started.pass();
  pool().stop();
  EXPECT_TRUE(finished);
}

TEST_F(WorkPoolTest, DestroysAJobUnrunOnceStopped) {
  start(1);
  pool().stop();
  pool().stop();
  bool ran = false;
  bool destroyed = false;
  pool().submit([&ran, token = at_death([&destroyed] { destroyed = true; })] { ran = true; });
  EXPECT_FALSE(ran);
  EXPECT_TRUE(destroyed);
}

TEST_F(WorkPoolTest, HoldsNoLockWhileAJobDies) {
  start(1);
  Gate started, gate;
  auto submits_more = [this] { pool().submit([] {}); };
  pool().submit([&, token = at_death(submits_more)] {
    started.open();
    gate.pass();
  });
  started.pass();
  pool().submit([token = at_death(submits_more)] {});
  gate.open();
  pool().stop();  // would hang if a destructor met the pool's lock
}

TEST_F(WorkPoolTest, RunsJobsOldestFirst) {
  start(1);
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) pool().submit([&order, i] { order.push_back(i); });
  drain();
  std::vector<int> expected(100);
  for (int i = 0; i < 100; ++i) expected[static_cast<size_t>(i)] = i;
  EXPECT_EQ(order, expected);
}

TEST_F(WorkPoolTest, RunsAsManyJobsAtOnceAsItHasThreads) {
  start(3);
  std::latch all_here(4);
  for (int i = 0; i < 3; ++i) pool().submit([&all_here] { all_here.arrive_and_wait(); });
  all_here.arrive_and_wait();
  pool().stop();
}

TEST_F(WorkPoolTest, LetsAnotherKeyOvertakeOneThatIsAtItsLimit) {
  start(2, 1);
  Gate gate, overtaken;
  std::atomic<bool> second_ran = false;
  bool second_ran_too_early = true;
  pool().submit("dead.example", [&] { gate.pass(); });
  pool().submit("dead.example", [&] { second_ran = true; });
  pool().submit("live.example", [&] {
    second_ran_too_early = second_ran;
    overtaken.open();
  });
  overtaken.pass();
  EXPECT_FALSE(second_ran_too_early);
  gate.open();
  while (!second_ran) std::this_thread::yield();
}

TEST_F(WorkPoolTest, RunsAsManyJobsOfAKeyAsItMay) {
  start(3, 2);
  std::latch both_here(3);
  for (int i = 0; i < 2; ++i) pool().submit("host", [&both_here] { both_here.arrive_and_wait(); });
  both_here.arrive_and_wait();
  pool().stop();
}

TEST_F(WorkPoolTest, NeverRunsMoreJobsOfAKeyThanItMay) {
  start(4, 2);
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  std::latch all_done(200);
  for (int i = 0; i < 200; ++i) {
    pool().submit("host", [&] {
      const int now = ++running;
      int before = most;
      while (before < now && !most.compare_exchange_weak(before, now)) {
      }
      std::this_thread::yield();
      --running;
      all_done.count_down();
    });
  }
  all_done.wait();
  EXPECT_LE(most, 2);
}

TEST_F(WorkPoolTest, NeverLimitsJobsWithoutAKey) {
  start(2, 1);
  std::latch both_here(3);
  for (int i = 0; i < 2; ++i) pool().submit([&both_here] { both_here.arrive_and_wait(); });
  both_here.arrive_and_wait();
  pool().stop();
}

TEST_F(WorkPoolTest, NamesItsThreads) {
  start(1);
  std::string name(16, '\0');
  pool().submit([&name] { pthread_getname_np(pthread_self(), name.data(), name.size()); });
  drain();
  EXPECT_STREQ(name.c_str(), "worker-0");
}

}  // namespace
}  // namespace regfs::work_pool_test
