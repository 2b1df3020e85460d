// SPDX-License-Identifier: MIT
// What waits for bytes while the process has no memory: every step may throw, none may be waited for in vain.
#include <gtest/gtest.h>

#include <new>

#include "tests/support/fetch_world.h"

namespace regfs::fs::without_memory_test {
namespace {

using test::FetchWorld;
using test::same_bytes;
using test::TestImage;

constexpr uint64_t kMiB = 1ull << 20;
constexpr std::chrono::milliseconds kSoon{50};

TEST(WithoutMemory, AReadWhoseTimeOutFindsNoneIsAnsweredAllTheSame) {
  FetchWorld world({.read_timeout = kSoon});
  const TestImage image = world.image({2 * kMiB});
  const auto file = world.open(image);
  const auto answer = world.read(*file, image.at(0, 0), 4096);
  world.fake_clock.run_out_of_memory(true);
  answer->wait();
  EXPECT_TRUE(answer->error().has_value()) << "it waits for ever";
  world.fake_clock.run_out_of_memory(false);
}

TEST(WithoutMemory, ARequestThatCannotLeaveFailsItsReaderAtOnceAndKeepsNoSlot) {
  FetchWorld world({.limits = {.per_image = 1, .per_mount = 1}});
  const TestImage image = world.image({2 * kMiB});
  const auto file = world.open(image);
  world.source.run_out_of_memory(true);
  const auto answer = [&]() -> std::shared_ptr<test::ReadAnswer> {
    auto given = std::make_shared<test::ReadAnswer>();
    try {
      return world.read(*file, image.at(0, 0), 4096);
    } catch (const std::bad_alloc&) {
      given->give(Error(std::make_error_code(std::errc::not_enough_memory), "the fence of FUSE"));
      return given;
    }
  }();
  answer->wait();
  ASSERT_TRUE(answer->error().has_value());

  world.source.run_out_of_memory(false);
  world.fake_clock.advance(cache::kFailureMemory);
  const auto again = world.read(*file, image.at(0, 0), 4096);
  ASSERT_EQ(world.source.asked().size(), 1u) << "the slot, or the claim, is lost";
  world.source.send_all();
  EXPECT_TRUE(same_bytes(again->wait(), image.bytes.substr(image.at(0, 0), 4096)));
}

TEST(WithoutMemory, ADecisionThatFailsHalfwayKeepsNoSlot) {
  FetchWorld world({.limits = {.per_image = 1, .per_mount = 1}});
  const TestImage image = world.image({2 * kMiB});
  const auto fetch = world.fetch(image);
  ASSERT_TRUE(fetch->blob(0));
  world.fake_clock.run_out_of_memory(true);
  EXPECT_THROW(const Demand lost = fetch->demand(0, 0, 10), std::bad_alloc);
  world.fake_clock.run_out_of_memory(false);
  const Demand demand = fetch->demand(0, 0, 10);
  EXPECT_EQ(world.source.asked().size(), 1u);
  EXPECT_EQ(world.source.asked()[0].range.offset, 0u);
}

TEST(WithoutMemory, TheEndOfADemandThrowsNothing) {
  FetchWorld world({.limits = {.per_image = 1, .per_mount = 1}});
  const TestImage image = world.image({2 * kMiB, 2 * kMiB});
  const auto fetch = world.fetch(image);
  Demand first = fetch->demand(0, 0, 10);
  Demand starving = fetch->demand(1, 0, 10);
  world.source.run_out_of_memory(true);
  world.source.send(1);  // its slot goes to the other, which cannot leave
  first = Demand();
  starving = Demand();
  world.source.run_out_of_memory(false);
  world.fake_clock.advance(cache::kFailureMemory);
  ASSERT_TRUE((*fetch->blob(1))->retry_if_due());
  const Demand later = fetch->demand(1, 0, 10);
  EXPECT_EQ(world.source.running().size(), 1u);
}

}  // namespace
}  // namespace regfs::fs::without_memory_test
