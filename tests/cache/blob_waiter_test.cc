// SPDX-License-Identifier: MIT
// Who waits for bytes of a Blob, and how often they hear of them.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/cache/cache_world.h"

namespace regfs::cache::blob_waiter_test {
namespace {

using test::Bell;
using test::bring;
using test::CacheWorld;
using test::random_bytes;
using test::wait_readable;
using Readable = Blob::Readable;

constexpr uint64_t kLarge = 3 << 20;

TEST(Blob, RunsAWaiterAtOnceWhenThereIsNothingToWaitFor) {
  CacheWorld world;
  std::string bytes = random_bytes(15, kLarge);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  ASSERT_TRUE(bring(*blob, bytes, 0, 10));
  Bell bell;
  EXPECT_EQ(blob->when_readable(0, 10, [&] { bell.ring(); }), 0u);
  EXPECT_EQ(bell.rung(), 1);
}

TEST(Blob, RunsAWaiterOnceWithItsLastByte) {
  CacheWorld world;
  std::string bytes = random_bytes(16, kLarge);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  Bell bell;
  EXPECT_NE(blob->when_readable(100, 100, [&] { bell.ring(); }), 0u);
  ASSERT_TRUE(bring(*blob, bytes, 150, 250));
  EXPECT_EQ(bell.rung(), 0);
  ASSERT_TRUE(bring(*blob, bytes, 0, 150));
  EXPECT_EQ(bell.rung(), 1);
  ASSERT_TRUE(bring(*blob, bytes));
  ASSERT_EQ(wait_readable(*blob), Readable::yes);
  EXPECT_EQ(bell.rung(), 1);
}

TEST(Blob, MayBeAskedFromInsideAWaiter) {
  CacheWorld world;
  std::string bytes = random_bytes(17, kLarge);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  Bell bell;
  blob->when_readable(0, 10, [&] {
    EXPECT_EQ(test::read(*blob, 0, 10), bytes.substr(0, 10));
    blob->when_readable(20, 10, [&] { bell.ring(); });
    EXPECT_FALSE(blob->covered(20, 10));
  });
  ASSERT_TRUE(bring(*blob, bytes, 0, 10));
  ASSERT_TRUE(bring(*blob, bytes, 20, 30));
  EXPECT_EQ(bell.rung(), 1);
}

TEST(Blob, CancelsAWaiterThatHasNotRun) {
  CacheWorld world;
  std::string bytes = random_bytes(18, kLarge);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  auto owned = std::make_shared<Bell>();
  std::weak_ptr<Bell> watched = owned;
  Blob::WaitId id = blob->when_readable(0, 10, [owned = std::move(owned)] { owned->ring(); });
  EXPECT_TRUE(blob->cancel(id));
  EXPECT_TRUE(watched.expired());
  EXPECT_FALSE(blob->cancel(id));
  EXPECT_FALSE(blob->cancel(0));
}

TEST(Blob, RunsOrCancelsEachWaiterNeverBoth) {
  CacheWorld world;
  std::string bytes = random_bytes(19, 2 << 20);
  constexpr uint64_t kPiece = 4096;
  std::shared_ptr<Blob> blob = world.blob(bytes);
  std::vector<std::atomic<int>> ran(bytes.size() / kPiece);
  std::vector<Blob::WaitId> ids;
  for (size_t i = 0; i < ran.size(); ++i) {
    ids.push_back(blob->when_readable(i * kPiece, kPiece, [&ran, i] { ++ran[i]; }));
  }
  std::vector<int> cancelled(ran.size());
  std::thread producer([&] { EXPECT_TRUE(bring(*blob, bytes, 0, bytes.size(), 1000)); });
  std::thread canceller([&] {
    for (size_t i = 0; i < ids.size(); i += 2) cancelled[i] = blob->cancel(ids[i]) ? 1 : 0;
  });
  producer.join();
  canceller.join();
  ASSERT_EQ(wait_readable(*blob), Readable::yes);
  for (size_t i = 0; i < ran.size(); ++i) EXPECT_EQ(ran[i] + cancelled[i], 1) << i;
}

}  // namespace
}  // namespace regfs::cache::blob_waiter_test
