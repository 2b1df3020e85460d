// SPDX-License-Identifier: MIT
// A blob that the cache cannot keep passes through it: what is held, what comes back, and what never gets through.
#include <gtest/gtest.h>

#include "cache/evictor.h"
#include "cache/stream_window.h"
#include "tests/cache/cache_world.h"

namespace regfs::cache::stream_test {
namespace {

using test::CacheWorld;

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kHeld = StreamWindow::kLeastHeldBytes;

struct StreamWorld : CacheWorld {
  std::shared_ptr<Blob> stream(const std::string& bytes) const {
    Result<std::shared_ptr<Blob>> got = store->blob(sha256_of(bytes), bytes.size(), kHeld);
    EXPECT_TRUE(got) << (got ? "" : got.error().context());
    return got ? *got : nullptr;
  }
  // What was passed is given up once the verifiers have nothing to do.
  void settle() const { EXPECT_TRUE(store->settle(std::chrono::seconds(20))); }

  // Reads [begin, end) in order, as a reader does to whom each MiB is brought when it asks for it.
  Result<void> pass(Blob& blob, const std::string& bytes, uint64_t begin, uint64_t end) {
    for (uint64_t at = begin; at < end; at += kMiB) {
      const ByteRange piece{at, std::min(kMiB, end - at)};
      blob.reader_at(this, at);
      settle();
      const ByteRange need = blob.needed_for(piece);
      Result<void> brought = test::bring(blob, bytes, need.offset, need.end());
      if (!brought) return brought;
      settle();
      std::string got = test::read(blob, piece.offset, piece.length);
      if (got != bytes.substr(piece.offset, piece.length)) {
        return Error(std::make_error_code(std::errc::io_error), std::to_string(at) + ": " + got.substr(0, 200));
      }
      most_present = std::max(most_present, blob.present_bytes());
    }
    return {};
  }
  uint64_t on_disk() const { return total_allocated(Evictor(system_disk(), layout).weigh()); }

  uint64_t most_present = 0;
};

TEST(Stream, ReadInOrderIsReadThroughAndNeverHeldWhole) {
  StreamWorld world;
  const std::string bytes = test::random_bytes(1, 20 * kMiB + 12345);
  const std::shared_ptr<Blob> blob = world.stream(bytes);
  ASSERT_TRUE(blob->is_stream());
  const Result<void> passed = world.pass(*blob, bytes, 0, bytes.size());
  EXPECT_TRUE(passed) << passed.error().context();
  EXPECT_LE(world.most_present, kHeld);
  EXPECT_LE(world.on_disk(), kHeld);
  EXPECT_EQ(blob->arrived_bytes(), bytes.size());
  EXPECT_FALSE(blob->complete());
}

TEST(Stream, IsNeverPublishedAndLeavesNothing) {
  StreamWorld world;
  const std::string bytes = test::random_bytes(1, 20 * kMiB);
  std::shared_ptr<Blob> blob = world.stream(bytes);
  ASSERT_TRUE(world.pass(*blob, bytes, 0, bytes.size()));
  EXPECT_FALSE(std::filesystem::exists(world.layout.blob(sha256_of(bytes))));
  blob.reset();
  world.settle();
  EXPECT_EQ(test::files_in(world.layout.parts_directory()), 0u);
}

TEST(Stream, WhatWasGivenUpIsNotReadableAndComesBack) {
  StreamWorld world;
  const std::string bytes = test::random_bytes(1, 20 * kMiB);
  const std::shared_ptr<Blob> blob = world.stream(bytes);
  ASSERT_TRUE(world.pass(*blob, bytes, 0, 12 * kMiB));
  ASSERT_EQ(blob->readable(0, 1000), Blob::Readable::not_yet);
  EXPECT_EQ(blob->needed_for({0, 1000}), (ByteRange{0, kMiB}));
  const Result<void> again = world.pass(*blob, bytes, 0, bytes.size());
  EXPECT_TRUE(again) << again.error().context();
}

TEST(Stream, WhatComesBackOtherwiseIsAnErrorAndNeverRead) {
  StreamWorld world;
  const std::string bytes = test::random_bytes(1, 20 * kMiB);
  const std::shared_ptr<Blob> blob = world.stream(bytes);
  ASSERT_TRUE(world.pass(*blob, bytes, 0, 12 * kMiB));
  std::string other = bytes;
  other[5000] ^= 1;
  blob->reader_at(&world, 0);
  ASSERT_TRUE(test::bring(*blob, other, 0, kMiB));
  world.settle();
  EXPECT_EQ(blob->readable(0, 1000), Blob::Readable::failed);
  ASSERT_TRUE(blob->failure());
  EXPECT_TRUE(blob->failure()->is(Errc::digest_mismatch));
}

TEST(Stream, WithholdsItsWindowUntilAllOfItHasMatched) {
  StreamWorld world;
  const std::string bytes = test::random_bytes(1, 20 * kMiB);
  const std::shared_ptr<Blob> blob = world.stream(bytes);
  const ByteRange withheld = blob->withheld();
  ASSERT_GT(withheld.length, 0u);
  ASSERT_TRUE(world.pass(*blob, bytes, 0, withheld.offset));
  ASSERT_TRUE(test::bring(*blob, bytes, withheld.offset, withheld.end()));
  world.settle();
  EXPECT_EQ(blob->readable(withheld.offset, 1), Blob::Readable::not_yet);
  EXPECT_EQ(blob->readable(withheld.end() - 1, 1), Blob::Readable::not_yet);
  ASSERT_TRUE(test::bring(*blob, bytes, withheld.end(), bytes.size()));
  world.settle();
  EXPECT_EQ(test::read(*blob, withheld.offset, withheld.length), bytes.substr(withheld.offset, withheld.length));
}

TEST(Stream, AWrongBlobDoesNotGetThroughThoughItsFrontWasGivenUp) {
  StreamWorld world;
  const std::string bytes = test::random_bytes(1, 20 * kMiB);
  std::string wrong = bytes;
  wrong[3] ^= 1;
  const Result<std::shared_ptr<Blob>> blob = world.store->blob(sha256_of(bytes), bytes.size(), kHeld);
  ASSERT_TRUE(blob);
  const ByteRange withheld = (*blob)->withheld();
  ASSERT_TRUE(world.pass(**blob, wrong, 0, withheld.offset));
  EXPECT_FALSE(world.pass(**blob, wrong, withheld.offset, bytes.size()));
  ASSERT_TRUE((*blob)->failure());
  EXPECT_TRUE((*blob)->failure()->is(Errc::digest_mismatch));
  // And from the beginning, once the failure is forgotten.
  world.clock.advance(kFailureMemory);
  ASSERT_TRUE((*blob)->retry_if_due());
  const Result<void> again = world.pass(**blob, bytes, 0, bytes.size());
  EXPECT_TRUE(again) << again.error().context();
}

TEST(Stream, MoreThanItHoldsOutOfOrderIsAnErrorWithASentence) {
  StreamWorld world;
  const std::string bytes = test::random_bytes(1, 20 * kMiB);
  const std::shared_ptr<Blob> blob = world.stream(bytes);
  Result<void> brought;
  for (uint64_t at = 19 * kMiB; at > 0 && brought; at -= kMiB) {
    blob->reader_at(&world, at);
    brought = test::bring(*blob, bytes, at, at + kMiB);
  }
  ASSERT_FALSE(brought);
  EXPECT_EQ(brought.error().code(), std::errc::no_space_on_device);
  EXPECT_NE(brought.error().context().find("can only be read in order"), std::string::npos)
      << brought.error().context();
  EXPECT_NE(brought.error().context().find("--cache-size"), std::string::npos);
  // What came is read as before.
  EXPECT_EQ(test::read(*blob, 18 * kMiB, kMiB), bytes.substr(18 * kMiB, kMiB));
}

TEST(Stream, OneReaderFarBehindAnotherReadsTheSame) {
  StreamWorld world;
  const std::string bytes = test::random_bytes(1, 24 * kMiB);
  const std::shared_ptr<Blob> blob = world.stream(bytes);
  ASSERT_TRUE(world.pass(*blob, bytes, 0, 15 * kMiB));
  const int other = 0;
  for (uint64_t at = 0; at < 10 * kMiB; at += kMiB) {
    blob->reader_at(&other, at);
    world.settle();
    ASSERT_TRUE(test::bring(*blob, bytes, at, at + kMiB));
    world.settle();
    EXPECT_EQ(test::read(*blob, at, kMiB), bytes.substr(at, kMiB));
  }
  blob->reader_left(&other);
  const Result<void> rest = world.pass(*blob, bytes, 15 * kMiB, bytes.size());
  EXPECT_TRUE(rest) << rest.error().context();
  EXPECT_LE(world.most_present, kHeld);
}

TEST(Stream, SaysOnceThatItIsOne) {
  StreamWorld world;
  const std::string bytes = test::random_bytes(1, 20 * kMiB);
  const std::shared_ptr<Blob> blob = world.stream(bytes);
  EXPECT_EQ(world.stream(bytes), blob);
  EXPECT_EQ(world.log.count("is read as a stream"), 1u);
}

TEST(Stream, IsNotMadeOfWhatIsHereOrIsWithheldWhole) {
  StreamWorld world;
  const std::string here = test::random_bytes(1, 12 * kMiB);
  test::publish(world, here);
  EXPECT_FALSE(world.stream(here)->is_stream());
  EXPECT_FALSE(world.stream(test::random_bytes(2, kMiB))->is_stream());
}

TEST(Room, IsShortOfWhatExceedsTheBudgetOrTheDisk) {
  CacheWorld world;
  world.store.reset();
  const Result<std::unique_ptr<BlobStore>> store =
      open_store(world.directory, world.clock, world.log.log(), world.disk, {.budget_bytes = 32 * kMiB});
  ASSERT_TRUE(store);
  EXPECT_EQ((*store)->room_short_of(32 * kMiB), std::nullopt);
  EXPECT_EQ((*store)->room_short_of(33 * kMiB), 32 * kMiB);
  world.disk->set_space([] { return DiskSpace{20 * kMiB, 11 * kMiB}; });
  EXPECT_EQ((*store)->room_short_of(5 * kMiB), std::nullopt);
  const std::optional<uint64_t> left = (*store)->room_short_of(20 * kMiB);
  ASSERT_TRUE(left);
  EXPECT_LE(*left, 11 * kMiB);
}

}  // namespace
}  // namespace regfs::cache::stream_test
