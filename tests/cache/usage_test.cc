// SPDX-License-Identifier: MIT
// What is counted of the use of a cache: by several at once, and whole whatever happens to its file.
#include "cache/usage.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <thread>
#include <vector>

#include "cache/inventory.h"
#include "tests/cache/cache_world.h"
#include "tests/support/faulty_disk.h"

namespace regfs::cache::usage_test {
namespace {

using test::CacheWorld;

struct UsageWorld : CacheWorld {
  const std::shared_ptr<SmallFiles> small_files = std::make_shared<SmallFiles>(system_disk(), layout);
  Usage stored() const { return stored_usage(*small_files, layout); }
};

TEST(Usage, IsReadAsItIsWritten) {
  const Usage usage{3, 5, uint64_t{1} << 50};
  EXPECT_EQ(parse_usage(to_text(usage)), usage);
  EXPECT_EQ(to_text(usage), "regfs usage 1\nhits 3\nmisses 5\nsaved 1125899906842624\nend\n");
}

TEST(Usage, IsNothingThatDoesNotMatchToTheLetter) {
  const std::string good = to_text(Usage{3, 5, 7});
  for (size_t length = 0; length < good.size(); ++length) EXPECT_EQ(parse_usage(good.substr(0, length)), std::nullopt);
  EXPECT_EQ(parse_usage(good + "x"), std::nullopt);
  EXPECT_EQ(parse_usage("regfs usage 1\nhits -3\nmisses 5\nsaved 7\nend\n"), std::nullopt);
}

TEST(Usage, OfSeveralWhoStoreAtOnceIsTheirSum) {
  UsageWorld world;
  std::vector<std::thread> processes;
  for (int i = 0; i < 4; ++i) {
    processes.emplace_back([&] {
      UsageCounter counter(system_disk(), world.small_files, world.layout);
      for (int round = 0; round < 25; ++round) {
        counter.count({1, 2, 3});
        counter.store();
      }
      for (int again = 0; again < 100; ++again) counter.store();  // what was left while others had the lock
    });
  }
  for (std::thread& process : processes) process.join();
  EXPECT_EQ(world.stored(), (Usage{100, 200, 300}));
}

TEST(Usage, BeginsAnewWhereItsFileIsDamaged) {
  UsageWorld world;
  UsageCounter counter(system_disk(), world.small_files, world.layout);
  test::put_file(world.layout.usage(), "regfs usage 1\nhits 3\nmis");
  EXPECT_TRUE(counter.count({1, 0, 10}));
  counter.store();
  EXPECT_EQ(world.stored(), (Usage{1, 0, 10}));
  std::filesystem::remove(world.layout.usage());
  std::filesystem::create_directory(world.layout.usage());
  counter.count({1, 0, 10});
  counter.store();
  EXPECT_EQ(world.stored(), (Usage{1, 0, 10}));
}

TEST(Usage, ThatCouldNotBeStoredIsStoredTheNextTime) {
  UsageWorld world;
  const auto disk = std::make_shared<test::FaultyDisk>();
  UsageCounter counter(disk, world.small_files, world.layout);
  EXPECT_TRUE(counter.count({1, 0, 10}));
  EXPECT_FALSE(counter.count({1, 0, 10})) << "a store() is due already";
  disk->fail(test::FaultyDisk::Call::opening, EIO);
  counter.store();
  EXPECT_EQ(world.stored(), Usage());
  disk->fail(test::FaultyDisk::Call::opening, 0);
  EXPECT_TRUE(counter.count({1, 0, 10}));
  counter.store();
  EXPECT_EQ(world.stored(), (Usage{3, 0, 30}));
}

TEST(Usage, OfAStoreIsOnTheDiskAtItsEnd) {
  UsageWorld world;
  const std::string here = test::random_bytes(1, 300'000), other = test::random_bytes(2, 200'000);
  test::publish(world, here);
  world.store->count_need(*world.blob(here));
  std::shared_ptr<Blob> part = world.blob(other);
  world.store->count_need(*part);
  world.store.reset();
  EXPECT_EQ(world.stored(), (Usage{1, 1, 300'000}));
  const Result<std::unique_ptr<Inventory>> inventory = Inventory::open(world.directory);
  ASSERT_TRUE(inventory);
  EXPECT_EQ((*inventory)->usage(), world.stored());
}

}  // namespace
}  // namespace regfs::cache::usage_test
