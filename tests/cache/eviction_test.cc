// SPDX-License-Identifier: MIT
// The budget of a cache directory: what goes, what stays, and what is said when nothing can go.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "cache/room.h"
#include "tests/cache/cache_world.h"

namespace regfs::cache::eviction_test {
namespace {

using test::CacheWorld;

constexpr uint64_t kMiB = 1 << 20;

std::string layer(uint32_t seed) {
  return test::random_bytes(seed, 10 * kMiB);
}

struct SmallCache : CacheWorld {
  SmallCache() {
    store.reset();
    open_with(32 * kMiB);
  }
  void open_with(uint64_t budget) {
    store.reset();
    Result<std::unique_ptr<BlobStore>> opened = open_store(directory, clock, log.log(), disk, {.budget_bytes = budget});
    ASSERT_TRUE(opened) << opened.error().context();
    store = *std::move(opened);
    store->on_evicted(
        [this](const std::vector<Digest>& gone) { evicted.insert(evicted.end(), gone.begin(), gone.end()); });
  }
  // Brings it, waits until it is published, and lets go.
  void keep(const std::string& bytes) {
    std::shared_ptr<Blob> held = blob(bytes);
    Result<void> brought = test::bring(*held, bytes);
    ASSERT_TRUE(brought) << brought.error().context();
    ASSERT_EQ(test::wait_readable(*held), Blob::Readable::yes);
    ASSERT_TRUE(wait_sealed(bytes));
  }
  bool has(const std::string& bytes) const { return std::filesystem::exists(layout.blob(sha256_of(bytes))); }
  // So much for the cache: what is evicted is free again.
  void let_the_disk_have(uint64_t bytes) {
    disk->set_space([this, bytes] { return DiskSpace{bytes, bytes - std::min(bytes, allocated())}; });
  }
  uint64_t allocated() const { return total_allocated(Evictor(system_disk(), layout).weigh()); }

  std::vector<Digest> evicted;
};

TEST(Eviction, IsAnErrorWithASentenceWhenTheDiskIsFullOfWhatIsBeingRead) {
  SmallCache world;
  std::string first = layer(1), second = layer(2);
  world.keep(first);
  std::shared_ptr<Blob> reader = world.blob(first);
  world.let_the_disk_have(12 * kMiB);
  world.open_with(32 * kMiB);
  Result<void> brought = test::bring(*world.blob(second), second);
  ASSERT_FALSE(brought);
  EXPECT_EQ(brought.error().code(), std::errc::no_space_on_device);
  EXPECT_NE(brought.error().context().find("is being read"), std::string::npos) << brought.error().context();
  EXPECT_EQ(test::read(*reader), first);
  reader.reset();
  world.keep(second);
  EXPECT_FALSE(world.has(first));
}

TEST(Eviction, PassesTheBudgetOnlyWhileMoreThanThatIsBeingRead) {
  SmallCache world;
  std::vector<std::shared_ptr<Blob>> readers;
  for (uint32_t seed = 1; seed <= 4; ++seed) {
    world.keep(layer(seed));
    readers.push_back(world.blob(layer(seed)));
  }
  for (uint32_t seed = 1; seed <= 4; ++seed) EXPECT_TRUE(world.has(layer(seed)));
  EXPECT_EQ(world.log.count("(--cache-size) while more than that is being read"), 1u);
  readers.clear();
  world.keep(layer(5));
  EXPECT_LE(world.allocated(), 32 * kMiB);
}

TEST(Eviction, TakesWhatWasUsedLongestAgoAndKeepsWithinTheBudget) {
  SmallCache world;
  std::string first = layer(1), second = layer(2), third = layer(3), fourth = layer(4);
  world.keep(first);
  world.keep(second);
  world.keep(third);
  EXPECT_EQ(test::read(*world.blob(first), 0, 10), first.substr(0, 10));  // is used again
  world.keep(fourth);
  EXPECT_TRUE(world.has(first));
  EXPECT_FALSE(world.has(second));
  EXPECT_TRUE(world.has(fourth));
  EXPECT_LE(world.allocated(), 32 * kMiB);
  ASSERT_FALSE(world.evicted.empty());
  EXPECT_EQ(world.evicted.front(), sha256_of(second));
  EXPECT_EQ(world.store->present_bytes(sha256_of(second), second.size()), 0u);
}

TEST(Eviction, LeavesASealTrueThatWasTouched) {
  SmallCache world;
  std::string bytes = layer(1);
  world.keep(bytes);
  EXPECT_EQ(test::read(*world.blob(bytes)), bytes);
  world.disk->fail(test::FaultyDisk::Call::reading, 0);
  std::shared_ptr<Blob> again = world.blob(bytes);
  EXPECT_TRUE(again->complete()) << "it is verified again";
}

TEST(Eviction, TakesNothingThatAnotherProcessReads) {
  SmallCache world;
  std::string first = layer(1), second = layer(2), third = layer(3), fourth = layer(4);
  world.keep(first);
  world.keep(second);
  world.keep(third);
  std::unique_ptr<BlobStore> other = world.open();
  std::shared_ptr<Blob> reader = *other->blob(sha256_of(first), first.size());
  world.keep(fourth);
  EXPECT_TRUE(world.has(first));
  EXPECT_FALSE(world.has(second));
}

TEST(Eviction, TakesPartsThatNobodyHas) {
  SmallCache world;
  std::string first = layer(1), second = layer(2), third = layer(3), fourth = layer(4);
  ASSERT_TRUE(test::bring(*world.blob(first), first, 0, 9 * kMiB));
  world.reopen();
  world.open_with(32 * kMiB);
  world.keep(second);
  world.keep(third);
  world.keep(fourth);
  EXPECT_EQ(world.store->present_bytes(sha256_of(first), first.size()), 0u);
  EXPECT_EQ(test::files_in(world.layout.parts_directory()), 0u);
  EXPECT_TRUE(world.has(second) && world.has(third) && world.has(fourth));
}

TEST(Eviction, TakesDocumentsLast) {
  SmallCache world;
  ASSERT_TRUE(world.store->put_document(sha256_of("{}"), "{}"));
  for (uint32_t seed = 1; seed <= 5; ++seed) world.keep(layer(seed));
  EXPECT_EQ(world.store->document(sha256_of("{}"), 100), "{}");
}

TEST(Eviction, MakesRoomOnAFullDiskBeforeAReadFails) {
  SmallCache world;
  std::string first = layer(1), second = layer(2);
  world.keep(first);
  world.let_the_disk_have(12 * kMiB);
  world.open_with(32 * kMiB);
  world.keep(second);
  EXPECT_FALSE(world.has(first));
}

TEST(Eviction, SaysThatTheDiskIsFullAndRecoversWhenThereIsRoom) {
  SmallCache world;
  std::string bytes = layer(1);
  world.let_the_disk_have(0);
  Result<void> brought = test::bring(*world.blob(bytes), bytes);
  ASSERT_FALSE(brought);
  EXPECT_NE(brought.error().context().find("is full"), std::string::npos) << brought.error().context();
  world.disk->set_space(nullptr);
  world.keep(bytes);
  EXPECT_TRUE(world.has(bytes));
}

TEST(Eviction, BoundsACacheThatIsNotKept) {
  CacheWorld world;
  std::unique_ptr<BlobStore> store = *open_store(world.scratch.path(), world.clock, world.log.log(), system_disk(),
                                                 {.keep = Keep::no, .budget_bytes = 32 * kMiB});
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    std::string bytes = layer(seed);
    std::shared_ptr<Blob> blob = *store->blob(sha256_of(bytes), bytes.size());
    Result<void> brought = test::bring(*blob, bytes);
    ASSERT_TRUE(brought) << brought.error().context();
    ASSERT_EQ(test::wait_readable(*blob), Blob::Readable::yes);
    EXPECT_EQ(test::read(*blob), bytes);
  }
  EXPECT_EQ(store->present_bytes(sha256_of(layer(1)), 10 * kMiB), 0u);
}

TEST(Room, TakesATenthOfTheDiskByDefaultAndNotLessThanIsOfUse) {
  EXPECT_EQ(default_cache_bytes(1ull << 40), kMostDefaultCacheBytes);
  EXPECT_EQ(default_cache_bytes(100ull << 30), 10ull << 30);
  EXPECT_EQ(default_cache_bytes(64ull << 20), 32ull << 20);
  EXPECT_EQ(default_cache_bytes(40ull << 20), 20ull << 20);
}

}  // namespace
}  // namespace regfs::cache::eviction_test
