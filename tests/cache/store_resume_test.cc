// SPDX-License-Identifier: MIT
// One digest, many owners: at once, one after the other, in the next process, in another process.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/cache/cache_world.h"

namespace regfs::cache::store_resume_test {
namespace {

using test::bring;
using test::CacheWorld;
using test::random_bytes;
using test::wait_readable;
using Readable = Blob::Readable;
using Call = test::FaultyDisk::Call;

constexpr uint64_t kLarge = 3 << 20;

TEST(BlobStore, GivesEveryoneTheSameBlob) {
  CacheWorld world;
  std::string bytes = random_bytes(11, 1000);
  std::vector<std::shared_ptr<Blob>> got(8);
  std::vector<std::thread> threads;
  for (std::shared_ptr<Blob>& mine : got) threads.emplace_back([&] { mine = world.blob(bytes); });
  for (std::thread& thread : threads) thread.join();
  for (const std::shared_ptr<Blob>& one : got) EXPECT_EQ(one, got[0]);
}

TEST(BlobStore, ResumesWhatCameBeforeTheLastOwnerLetGo) {
  CacheWorld world;
  std::string bytes = random_bytes(12, kLarge);
  for (uint64_t round = 1; round <= 3; ++round) {
    std::shared_ptr<Blob> blob = world.blob(bytes);
    EXPECT_EQ(blob->present_bytes(), (round - 1) * 1000);
    ASSERT_TRUE(bring(*blob, bytes, round * 10'000, round * 10'000 + 1000));
    blob.reset();
    EXPECT_EQ(world.store->present_bytes(sha256_of(bytes), kLarge), round * 1000);
  }
  std::shared_ptr<Blob> blob = world.blob(bytes);
  ASSERT_TRUE(bring(*blob, bytes));
  EXPECT_EQ(wait_readable(*blob), Readable::yes);
  EXPECT_EQ(test::read(*blob), bytes);
}

TEST(BlobStore, ResumesAPartInTheNextProcess) {
  CacheWorld world;
  std::string bytes = random_bytes(13, kLarge);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  ASSERT_TRUE(bring(*blob, bytes, 0, 2000));
  ASSERT_TRUE(bring(*blob, bytes, 1 << 20, (1 << 20) + 500));
  blob.reset();
  world.reopen();
  EXPECT_EQ(world.store->present_bytes(sha256_of(bytes), kLarge), 2500u);
  blob = world.blob(bytes);
  EXPECT_EQ(blob->present_bytes(), 2500u);
  EXPECT_EQ(blob->claim(0, kLarge)->range(), (ByteRange{2000, (1 << 20) - 2000}));
  ASSERT_TRUE(bring(*blob, bytes));
  EXPECT_EQ(wait_readable(*blob), Readable::yes);
  EXPECT_EQ(test::read(*blob), bytes);
}

// The kernel tells of a lost write once; what a second sync says of the same file is worth nothing.
TEST(BlobStore, BringsAnewInTheNextProcessWhatAFailedSyncMayHaveLost) {
  CacheWorld world;
  std::string bytes = random_bytes(14, kLarge);
  world.disk->fail(Call::syncing, EIO);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  ASSERT_TRUE(bring(*blob, bytes));
  ASSERT_EQ(wait_readable(*blob), Readable::yes) << "its reader is served all the same";
  world.store->shutdown({Errc::shutting_down, "bye"});
  blob.reset();
  world.reopen();
  blob = world.blob(bytes);
  EXPECT_EQ(blob->present_bytes(), 0u);
  ASSERT_TRUE(bring(*blob, bytes));
  EXPECT_EQ(wait_readable(*blob), Readable::yes);
  EXPECT_EQ(test::read(*blob), bytes);
  EXPECT_TRUE(world.wait_sealed(bytes));
}

TEST(BlobStore, SweepsPartsThatNobodyCanResume) {
  CacheWorld world;
  std::string part = world.layout.part(sha256_of("x"), 100);
  std::string spare = world.layout.spare_part(sha256_of("x"), 100, 1, 1);
  std::string orphan = world.layout.ranges(world.layout.part(sha256_of("y"), 100));
  world.store.reset();
  for (const std::string& path : {part, spare, orphan}) test::put_file(path, "debris");
  test::put_file(world.layout.parts_directory() + "/notes", "not ours");
  world.store = world.open();
  EXPECT_EQ(test::files_in(world.layout.parts_directory()), 1u);
}

TEST(BlobStore, BelievesNoRecordOfMoreThanIsInThePart) {
  CacheWorld world;
  std::string bytes = random_bytes(15, kLarge);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  ASSERT_TRUE(bring(*blob, bytes, 0, 2000));
  blob.reset();
  world.store.reset();
  std::filesystem::resize_file(world.layout.part(sha256_of(bytes), kLarge), 1999);
  world.store = world.open();
  EXPECT_EQ(world.blob(bytes)->present_bytes(), 0u);
}

TEST(BlobStore, LeavesThePartsOfALivingProcessAlone) {
  CacheWorld world;
  std::string bytes = random_bytes(16, kLarge);
  std::shared_ptr<Blob> mine = world.blob(bytes);
  ASSERT_TRUE(bring(*mine, bytes, 0, kLarge / 2));
  std::unique_ptr<BlobStore> other = world.open();
  Result<std::shared_ptr<Blob>> theirs = other->blob(sha256_of(bytes), kLarge);
  ASSERT_TRUE(theirs);
  EXPECT_EQ((*theirs)->present_bytes(), 0u);
  ASSERT_TRUE(bring(**theirs, bytes));
  ASSERT_EQ(wait_readable(**theirs), Readable::yes);
  ASSERT_TRUE(world.wait_sealed(bytes));
  ASSERT_TRUE(bring(*mine, bytes));
  ASSERT_EQ(wait_readable(*mine), Readable::yes);
  ASSERT_TRUE(world.wait_sealed(bytes, 2));
  EXPECT_EQ(test::read(*mine), bytes);
  EXPECT_EQ(test::read(**theirs), bytes);
  EXPECT_EQ(test::file_text(world.layout.blob(sha256_of(bytes))), bytes);
  EXPECT_EQ(test::files_in(world.layout.parts_directory()), 0u);
}

TEST(BlobStore, KeepsNoPartThatAFullDiskCannotRecord) {
  CacheWorld world;
  std::string bytes = random_bytes(17, kLarge);
  world.disk->set_room(100'000);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  ASSERT_FALSE(bring(*blob, bytes));
  world.disk->set_room(0);
  blob.reset();
  world.store.reset();
  world.store = world.open();
  EXPECT_EQ(test::files_in(world.layout.parts_directory()), 0u);
}

TEST(BlobStore, KeepsABlobThatIsOpenedAndLetGoByManyThreads) {
  CacheWorld world;
  std::string bytes = random_bytes(18, 2 << 20);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      std::mt19937 random(i);
      for (int step = 0; step < 60; ++step) {
        std::shared_ptr<Blob> blob = world.blob(bytes);
        uint64_t at = random() % (bytes.size() - 40'000);
        if (!bring(*blob, bytes, at, at + 40'000)) ++wrong;
        bool there = blob->readable(at, 1000) == Readable::yes;
        if (there && test::read(*blob, at, 1000) != bytes.substr(at, 1000)) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  ASSERT_TRUE(bring(*blob, bytes));
  EXPECT_EQ(wait_readable(*blob), Readable::yes);
  EXPECT_EQ(test::read(*blob), bytes);
}

}  // namespace
}  // namespace regfs::cache::store_resume_test
