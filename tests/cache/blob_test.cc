// SPDX-License-Identifier: MIT
#include "cache/blob.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "cache/withheld.h"
#include "tests/cache/cache_world.h"

namespace regfs::cache::blob_test {
namespace {

using test::Bell;
using test::bring;
using test::bytes_of;
using test::CacheWorld;
using test::random_bytes;
using test::wait_readable;
using Readable = Blob::Readable;
using Call = test::FaultyDisk::Call;

constexpr uint64_t kLarge = 3 << 20;  // more than is withheld whole

// --- failures ---

TEST(Blob, DropsEveryByteWhenTheDigestIsWrong) {
  CacheWorld world;
  std::string good = random_bytes(1, kLarge);
  std::string bad = good;
  bad[kLarge - 1] ^= 1;
  Bell dropped;
  Bell waiter;
  std::atomic<int> waiters_before_drop{0};
  world.store->on_dropped([&](const Digest& digest) {
    EXPECT_EQ(digest, sha256_of(good));
    waiters_before_drop = waiter.rung();
    dropped.ring();
  });
  std::shared_ptr<Blob> blob = world.blob(good);
  blob->when_readable(0, kLarge, [&] { waiter.ring(); });
  ASSERT_TRUE(bring(*blob, bad));
  ASSERT_TRUE(dropped.wait());

  EXPECT_EQ(waiters_before_drop, 1);
  EXPECT_EQ(blob->readable(0, 1), Readable::failed);
  EXPECT_EQ(blob->present_bytes(), 0u);
  EXPECT_FALSE(blob->complete());
  ASSERT_TRUE(blob->failure());
  EXPECT_TRUE(blob->failure()->is(Errc::digest_mismatch));
  EXPECT_NE(blob->failure()->context().find(sha256_of(good).str()), std::string::npos);
  EXPECT_NE(blob->failure()->context().find(sha256_of(bad).str()), std::string::npos);
  EXPECT_EQ(test::files_in(world.layout.blobs_directory()), 0u);
  EXPECT_EQ(test::files_in(world.layout.parts_directory()), 0u);
}

TEST(Blob, StartsFromNothingFiveSecondsAfterAWrongDigest) {
  CacheWorld world;
  std::string good = random_bytes(2, kLarge);
  std::shared_ptr<Blob> blob = world.blob(good);
  ASSERT_TRUE(bring(*blob, random_bytes(3, kLarge)));
  ASSERT_EQ(wait_readable(*blob), Readable::failed);

  world.clock.advance(std::chrono::milliseconds(4999));
  EXPECT_FALSE(blob->retry_if_due());
  EXPECT_FALSE(blob->claim(0, kLarge));
  world.clock.advance(std::chrono::milliseconds(1));
  EXPECT_TRUE(blob->retry_if_due());
  EXPECT_EQ(blob->readable(0, 1), Readable::not_yet);
  ASSERT_TRUE(bring(*blob, good));
  EXPECT_EQ(wait_readable(*blob), Readable::yes);
  EXPECT_EQ(test::read(*blob), good);
}

TEST(Blob, RefusesTheRestOfATransferWhoseBytesWereDropped) {
  CacheWorld world;
  std::string good = random_bytes(2, 1000);
  std::shared_ptr<Blob> blob = world.blob(good);
  std::optional<Claim> claim = blob->claim(0, 1000);
  ASSERT_TRUE(claim->write(0, bytes_of(random_bytes(3, 1000))));
  ASSERT_EQ(wait_readable(*blob), Readable::failed);
  Result<void> more = claim->write(0, bytes_of(good));
  ASSERT_FALSE(more);
  EXPECT_TRUE(more.error().is(Errc::digest_mismatch));
}

TEST(Blob, NeverShowsTheWindowBeforeTheDigestMatches) {
  CacheWorld world;
  std::string bytes = random_bytes(4, kLarge);
  ByteRange window = withheld_window(kLarge);
  world.disk->hold(Call::reading);  // the verifier cannot get on
  std::shared_ptr<Blob> blob = world.blob(bytes);
  ASSERT_TRUE(bring(*blob, bytes));

  EXPECT_EQ(blob->present_bytes(), kLarge);
  EXPECT_EQ(blob->readable(0, window.offset), Readable::yes);
  EXPECT_EQ(blob->readable(window.end(), kLarge - window.end()), Readable::yes);
  EXPECT_EQ(blob->readable(window.offset, 1), Readable::not_yet);
  EXPECT_EQ(blob->readable(window.end() - 1, 1), Readable::not_yet);
  EXPECT_EQ(blob->readable(0, kLarge), Readable::not_yet);
  EXPECT_FALSE(blob->complete());
  std::byte one[1];
  EXPECT_FALSE(blob->read(window.offset, one));

  world.disk->release(Call::reading);
  EXPECT_EQ(wait_readable(*blob), Readable::yes);
  EXPECT_TRUE(blob->complete());
}

TEST(Blob, WithholdsAllOfASmallBlobUntilItIsVerified) {
  CacheWorld world;
  std::string bytes = random_bytes(5, kWithheldWholeBytes);
  world.disk->hold(Call::reading);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  ASSERT_TRUE(bring(*blob, bytes));
  EXPECT_EQ(blob->readable(0, 1), Readable::not_yet);
  EXPECT_EQ(blob->readable(bytes.size() - 1, 1), Readable::not_yet);
  world.disk->release(Call::reading);
  EXPECT_EQ(wait_readable(*blob), Readable::yes);
}

TEST(Blob, TellsTheProducerWhenTheDiskIsFull) {
  CacheWorld world;
  std::string bytes = random_bytes(6, kLarge);
  world.disk->set_room(kLarge / 2);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  Result<void> brought = bring(*blob, bytes);
  ASSERT_FALSE(brought);
  EXPECT_EQ(brought.error().code(), std::errc::no_space_on_device);
  EXPECT_EQ(test::read(*blob, 0, kLarge / 2), bytes.substr(0, kLarge / 2));

  world.disk->set_room(std::nullopt);
  ASSERT_TRUE(bring(*blob, bytes));
  EXPECT_EQ(wait_readable(*blob), Readable::yes);
  EXPECT_EQ(test::read(*blob), bytes);
}

TEST(Blob, CanBeReadThoughItCannotBePublished) {
  CacheWorld world;
  std::string bytes = random_bytes(7, kLarge);
  world.disk->fail(Call::syncing, EIO);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  ASSERT_TRUE(bring(*blob, bytes));
  ASSERT_EQ(wait_readable(*blob), Readable::yes);
  EXPECT_EQ(test::read(*blob), bytes);
  blob.reset();
  world.store.reset();
  EXPECT_EQ(test::files_in(world.layout.blobs_directory()), 0u);
}

TEST(Blob, DoesNotMakeReadersWaitForTheDisk) {
  CacheWorld world;
  std::string bytes = random_bytes(8, kLarge);
  world.disk->hold(Call::syncing);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  ASSERT_TRUE(bring(*blob, bytes));
  EXPECT_EQ(wait_readable(*blob), Readable::yes);
  EXPECT_EQ(test::read(*blob), bytes);
  EXPECT_EQ(test::files_in(world.layout.blobs_directory()), 0u);
  world.disk->release(Call::syncing);
  EXPECT_TRUE(world.wait_sealed(bytes));
}

TEST(Blob, KeepsWhatCameReadableAfterAFailure) {
  CacheWorld world;
  std::string bytes = random_bytes(9, kLarge);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  ASSERT_TRUE(bring(*blob, bytes, 0, 1000));
  Bell waiter;
  blob->when_readable(5000, 10, [&] { waiter.ring(); });
  blob->fail({Errc::timed_out, "nobody answers"});
  EXPECT_EQ(waiter.rung(), 1);
  EXPECT_EQ(blob->readable(0, 1000), Readable::yes);
  EXPECT_EQ(blob->readable(5000, 10), Readable::failed);
  EXPECT_EQ(test::read(*blob, 5000, 10), "error: nobody answers");
  EXPECT_FALSE(blob->claim(5000, 10));

  world.clock.advance(kFailureMemory);
  EXPECT_TRUE(blob->retry_if_due());
  EXPECT_EQ(blob->present_bytes(), 1000u);
  EXPECT_EQ(blob->claim(0, kLarge)->range().offset, 1000u);
}

TEST(Blob, TellsWhenItsFileIsCutShortAndThenHealsItself) {
  CacheWorld world;
  std::string bytes = random_bytes(10, kLarge);
  publish(world, bytes);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  std::filesystem::resize_file(world.layout.blob(blob->digest()), 1000);
  EXPECT_TRUE(test::read(*blob).starts_with("error: "));
  ASSERT_TRUE(test::wait_claimable(*blob));
  ASSERT_TRUE(bring(*blob, bytes));
  EXPECT_EQ(wait_readable(*blob), Readable::yes);
  EXPECT_EQ(test::read(*blob), bytes);
}

TEST(Blob, OfNoBytesIsWrongAtOnceForAnyOtherDigest) {
  CacheWorld world;
  std::shared_ptr<Blob> blob = world.blob(sha256_of("something"), 0);
  ASSERT_TRUE(blob->failure());
  EXPECT_TRUE(blob->failure()->is(Errc::digest_mismatch));
  world.clock.advance(std::chrono::hours(1));
  EXPECT_FALSE(blob->retry_if_due());
}

// --- what works ---

TEST(Blob, OfNoBytesIsCompleteAtOnce) {
  CacheWorld world;
  std::shared_ptr<Blob> blob = world.blob(std::string());
  EXPECT_TRUE(blob->complete());
  EXPECT_EQ(test::read(*blob), "");
}

TEST(Blob, ReadsBytesAsTheyArrive) {
  CacheWorld world;
  std::string bytes = random_bytes(11, kLarge);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  ASSERT_TRUE(bring(*blob, bytes, 100'000, 200'000));
  EXPECT_EQ(blob->readable(100'000, 100'000), Readable::yes);
  EXPECT_EQ(blob->readable(99'999, 2), Readable::not_yet);
  EXPECT_EQ(test::read(*blob, 150'000, 1000), bytes.substr(150'000, 1000));
  EXPECT_EQ(blob->present_bytes(), 100'000u);
}

TEST(Blob, SaysWhenAByteLastArrived) {
  CacheWorld world;
  std::string bytes = random_bytes(11, kLarge);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  EXPECT_EQ(blob->last_progress(), world.clock.now());
  Monotonic::time_point created = world.clock.now();
  world.clock.advance(std::chrono::seconds(3));
  EXPECT_EQ(blob->last_progress(), created);
  ASSERT_TRUE(bring(*blob, bytes, 0, 1));
  EXPECT_EQ(blob->last_progress(), world.clock.now());
}

TEST(Blob, GivesEachRangeToOneProducer) {
  CacheWorld world;
  std::shared_ptr<Blob> blob = world.blob(random_bytes(12, 1000));
  std::optional<Claim> middle = blob->claim(400, 200);
  std::optional<Claim> front = blob->claim(0, 1000);
  EXPECT_EQ(front->range(), (ByteRange{0, 400}));
  EXPECT_TRUE(blob->covered(0, 600));
  EXPECT_FALSE(blob->covered(0, 601));
  EXPECT_FALSE(blob->claim(100, 400));
  front.reset();
  EXPECT_FALSE(blob->covered(0, 600));
  EXPECT_EQ(blob->claim(0, 600)->range(), (ByteRange{0, 400}));
}

TEST(Blob, LeavesOutWhatLiesOutsideAClaim) {
  CacheWorld world;
  std::string bytes = random_bytes(13, kLarge);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  std::optional<Claim> claim = blob->claim(1000, 100);
  ASSERT_TRUE(claim->write(0, bytes_of(bytes)));
  EXPECT_EQ(blob->present_bytes(), 100u);
}

TEST(Blob, NeverRewritesAByte) {
  CacheWorld world;
  std::string bytes = random_bytes(14, kLarge);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  std::optional<Claim> claim = blob->claim(0, 1000);
  ASSERT_TRUE(claim->write(100, bytes_of(bytes).subspan(100, 100)));
  ASSERT_TRUE(claim->write(0, bytes_of(std::string(1000, 'x'))));
  EXPECT_EQ(test::read(*blob, 0, 300), std::string(100, 'x') + bytes.substr(100, 100) + std::string(100, 'x'));
}

TEST(Blob, AgreesWithAByteArray) {
  CacheWorld world;
  std::mt19937 random(20);
  for (uint32_t round = 0; round < 8; ++round) {
    uint64_t size = round % 2 ? 50'000 + random() % 100'000 : (1 << 20) + 1 + random() % (1 << 20);
    std::string bytes = random_bytes(100 + round, size);
    std::shared_ptr<Blob> blob = world.blob(bytes);
    ByteRange window = withheld_window(size);
    std::vector<bool> written(size);
    std::atomic<int> wrong{0};
    Bell waited;
    int waiting = 0;
    for (int step = 0; step < 150; ++step) {
      uint64_t begin = random() % size;
      uint64_t length = std::min<uint64_t>(size - begin, random() % 40'000);
      ASSERT_TRUE(bring(*blob, bytes, begin, begin + length, 7001));
      std::fill_n(written.begin() + static_cast<ptrdiff_t>(begin), length, true);

      uint64_t at = random() % size;
      uint64_t asked = std::min<uint64_t>(size - at, 1 + random() % 5000);
      bool there = std::all_of(written.begin() + static_cast<ptrdiff_t>(at),
                               written.begin() + static_cast<ptrdiff_t>(at + asked), [](bool bit) { return bit; });
      bool withheld = at < window.end() && window.offset < at + asked;
      if (there && !withheld) {
        ASSERT_EQ(test::read(*blob, at, asked), bytes.substr(at, asked));
      } else if (!there) {
        ASSERT_EQ(blob->readable(at, asked), Readable::not_yet);
      }
      ++waiting;
      blob->when_readable(at, asked, [&, blob = blob.get(), at, asked] {
        wrong += test::read(*blob, at, asked) != bytes.substr(at, asked) ? 1 : 0;
        waited.ring();
      });
    }
    ASSERT_TRUE(bring(*blob, bytes));
    ASSERT_TRUE(waited.wait(waiting));
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(waited.rung(), waiting);
    ASSERT_EQ(wait_readable(*blob), Readable::yes);
    EXPECT_EQ(test::read(*blob), bytes);
  }
}

TEST(Blob, IsFilledByManyProducersAtOnce) {
  CacheWorld world;
  std::string bytes = random_bytes(21, 8 << 20);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  std::vector<std::thread> producers;
  for (uint64_t i = 0; i < 4; ++i) {
    producers.emplace_back([&, i] {
      uint64_t share = bytes.size() / 4;
      EXPECT_TRUE(bring(*blob, bytes, i * share, (i + 1) * share));
    });
  }
  std::thread reader([&] {
    for (uint64_t at = 0; at < bytes.size(); at += 100'000) {
      uint64_t length = std::min<uint64_t>(100'000, bytes.size() - at);
      auto bell = std::make_shared<Bell>();
      blob->when_readable(at, length, [bell] { bell->ring(); });
      ASSERT_TRUE(bell->wait());
      ASSERT_EQ(test::read(*blob, at, length), bytes.substr(at, length));
    }
  });
  for (std::thread& producer : producers) producer.join();
  reader.join();
  EXPECT_EQ(wait_readable(*blob), Readable::yes);
}

}  // namespace
}  // namespace regfs::cache::blob_test
