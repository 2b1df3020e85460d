// SPDX-License-Identifier: MIT
#include "base/timer.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <future>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/base/job_probes.h"
#include "tests/support/memory_log.h"

namespace regfs::timer_test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

using test::at_death;
using test::Gate;

TEST(Timer, DestroysAJobUnrunOnceStopped) {
  Timer timer;
  timer.stop();
  timer.stop();
  bool ran = false;
  bool destroyed = false;
  timer.after(milliseconds(0), [&ran, token = at_death([&destroyed] { destroyed = true; })] { ran = true; });
  EXPECT_TRUE(destroyed);
  EXPECT_FALSE(ran);
}

TEST(Timer, DestroysWaitingJobsUnrunWhenItStops) {
  Timer timer;
  bool ran = false;
  bool destroyed = false;
  timer.after(hours(1), [&ran, token = at_death([&destroyed] { destroyed = true; })] { ran = true; });
  timer.stop();
  EXPECT_TRUE(destroyed);
  EXPECT_FALSE(ran);
}

TEST(Timer, DoesNotRunWhatWasCancelled) {
  bool ran = false;
  bool destroyed = false;
  {
    Timer timer;
    Timer::Id id = timer.after(hours(1), [&ran, token = at_death([&destroyed] { destroyed = true; })] { ran = true; });
    EXPECT_TRUE(timer.cancel(id));
    EXPECT_TRUE(destroyed);
    EXPECT_FALSE(timer.cancel(id));
  }
  EXPECT_FALSE(ran);
}

TEST(Timer, CannotCancelWhatRunsOrRan) {
  Timer timer;
  Gate started, gate, after_it;
  Timer::Id id = timer.after(milliseconds(0), [&] {
    started.open();
    gate.pass();
  });
  started.pass();
  EXPECT_FALSE(timer.cancel(id));
  gate.open();
  timer.after(milliseconds(0), [&after_it] { after_it.open(); });
  after_it.pass();
  EXPECT_FALSE(timer.cancel(id));
}

TEST(Timer, HoldsNoLockWhileAJobDies) {
  Timer timer;
  Gate done;
  auto uses_the_timer = [&timer] { timer.cancel({}); };
  Timer::Id cancelled = timer.after(hours(1), [token = at_death(uses_the_timer)] {});
  EXPECT_TRUE(timer.cancel(cancelled));
  timer.after(milliseconds(0), [token = at_death(uses_the_timer)] {});
  timer.after(milliseconds(0), [&done] { done.open(); });
  done.pass();
  timer.after(hours(1), [token = at_death(uses_the_timer)] {});
  timer.stop();  // any of these would hang if a destructor met the timer's lock
}

TEST(Timer, RunsNothingTooEarly) {
  Timer timer;
  std::promise<Monotonic::time_point> ran;
  const Monotonic::time_point asked = Monotonic::now();
  timer.after(milliseconds(20), [&ran] { ran.set_value(Monotonic::now()); });
  EXPECT_GE(ran.get_future().get() - asked, milliseconds(20));
}

TEST(Timer, RunsWhatIsDueFirstFirst) {
  Timer timer;
  std::vector<int> order;
  Gate all_asked, done;
  timer.after(milliseconds(0), [&all_asked] { all_asked.pass(); });
  std::map<Timer::Id, int> asked;  // by due time: a slow machine may ask for 10 ms more than 10 ms after 20 ms
  for (int delay : {20, 10, 0, 15, 5}) {
    asked[timer.after(milliseconds(delay), [&order, delay] { order.push_back(delay); })] = delay;
  }
  timer.after(milliseconds(20), [&done] { done.open(); });
  all_asked.open();
  done.pass();
  std::vector<int> expected;
  for (const auto& [id, delay] : asked) expected.push_back(delay);
  EXPECT_EQ(order, expected);
}

TEST(Timer, WakesForAJobDueBeforeTheOneItWaitsFor) {
  Timer timer;
  timer.after(hours(1), [] {});
  for (int round = 0; round < 100; ++round) {  // in nearly all of them the thread waits for the hour already
    Gate done;
    timer.after(milliseconds(0), [&done] { done.open(); });
    done.pass();
  }
}

TEST(Timer, TakesJobsFromItsOwnJobs) {
  Timer timer;
  Gate done;
  timer.after(milliseconds(0), [&] { timer.after(milliseconds(0), [&done] { done.open(); }); });
  done.pass();
}

TEST(Timer, LogsAJobThatThrowsAndGoesOn) {
  const SystemClock clock;
  test::MemoryLog log(clock);
  Timer timer(&log.log());
  Gate done;
  timer.after(milliseconds(0), [] { throw std::runtime_error("the clock is square"); });
  timer.after(milliseconds(1), [&done] { done.open(); });
  done.pass();
  EXPECT_EQ(log.count("the clock is square"), 1U);
}

TEST(Timer, RunsItsJobsOnTheThreadNamedTimer) {
  Timer timer;
  std::promise<std::string> name;
  timer.after(milliseconds(0), [&name] {
    char text[16] = {};
    pthread_getname_np(pthread_self(), text, sizeof text);
    name.set_value(text);
  });
  EXPECT_EQ(name.get_future().get(), "timer");
}

}  // namespace
}  // namespace regfs::timer_test
