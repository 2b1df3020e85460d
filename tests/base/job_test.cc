// SPDX-License-Identifier: MIT
#include "base/job.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <vector>

namespace regfs::job_test {
namespace {

TEST(Job, IsEmptyUntilItHasSomethingToRun) {
  EXPECT_FALSE(Job());
  EXPECT_TRUE(Job([] {}));
}

TEST(Job, LetsGoOfWhatItOwnsWhenTheCallableThrows) {
  auto owned = std::make_shared<int>(7);
  Job job = [owned] { throw std::runtime_error("no"); };
  EXPECT_THROW(job(), std::runtime_error);
  EXPECT_EQ(owned.use_count(), 1);
  EXPECT_FALSE(job);
}

TEST(Job, DestroysWhatItOwnsWhenItIsNeverRun) {
  auto owned = std::make_shared<int>(7);
  {
    Job job = [owned] {};
    EXPECT_EQ(owned.use_count(), 2);
  }
  EXPECT_EQ(owned.use_count(), 1);
}

TEST(Job, OwnsMoveOnlyThings) {
  int seen = 0;
  Job job = [&seen, number = std::make_unique<int>(7)] { seen = *number; };
  job();
  EXPECT_EQ(seen, 7);
}

TEST(Job, IsEmptyOnceItHasRun) {
  auto owned = std::make_shared<int>(7);
  Job job = [owned] {};
  job();
  EXPECT_FALSE(job);
  EXPECT_EQ(owned.use_count(), 1);
}

TEST(Job, IsAlreadyEmptyWhileItRuns) {
  bool was_empty = false;
  Job job;
  job = [&] { was_empty = !job; };
  job();
  EXPECT_TRUE(was_empty);
}

TEST(Job, MovesIntoAContainer) {
  std::vector<Job> jobs;
  int runs = 0;
  for (int i = 0; i < 100; ++i) jobs.emplace_back([&runs, one = std::make_unique<int>(1)] { runs += *one; });
  for (Job& job : jobs) job();
  EXPECT_EQ(runs, 100);
}

TEST(Job, DestroysItsOldCallableWhenAnotherIsAssigned) {
  auto owned = std::make_shared<int>(7);
  Job job = [owned] {};
  job = Job();
  EXPECT_EQ(owned.use_count(), 1);
}

}  // namespace
}  // namespace regfs::job_test
