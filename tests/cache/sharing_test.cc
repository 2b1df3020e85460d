// SPDX-License-Identifier: MIT
// Two stores of one directory, as two processes have it.
#include <gtest/gtest.h>

#include <future>

#include "tests/cache/cache_world.h"

namespace regfs::cache::sharing_test {
namespace {

using test::CacheWorld;

const std::string kBytes = test::random_bytes(1, 6'000'000);
const Digest kDigest = sha256_of(kBytes);

struct TwoStores : CacheWorld {
  std::unique_ptr<BlobStore> second_store = open();
  std::shared_ptr<Blob> one = blob(kBytes);
  std::shared_ptr<Blob> two = *second_store->blob(kDigest, kBytes.size());
};

// The second on a disk of its own, to be held there while the first goes on.
struct TwoDisks : CacheWorld {
  const std::string part = layout.part(kDigest, kBytes.size());
  std::shared_ptr<test::FaultyDisk> second_disk = std::make_shared<test::FaultyDisk>();
  std::unique_ptr<BlobStore> second_store = *open_store(directory, clock, log.log(), second_disk);
};

TEST(Sharing, GivesNoRangeToBoth) {
  TwoStores world;
  std::optional<Claim> front = world.one->claim(0, 2'000'000);
  ASSERT_TRUE(front);
  EXPECT_EQ(world.two->claim(0, 3'000'000)->range(), (ByteRange{2'000'000, 1'000'000}));
  EXPECT_EQ(world.two->claim(1'000'000, 500'000), std::nullopt);
  EXPECT_TRUE(world.two->covered(1'000'000, 500'000));
  EXPECT_FALSE(world.two->covered(1'000'000, 1'500'000));
}

TEST(Sharing, GivesNoRangeThatTheOtherHasJustBrought) {
  TwoStores world;
  ASSERT_TRUE(test::bring(*world.one, kBytes, 0, 2'000'000));
  // Nobody has written down yet that it is here, so it is still the other's; or it is known.
  std::optional<Claim> claim = world.two->claim(0, kBytes.size());
  ASSERT_TRUE(claim);
  EXPECT_EQ(claim->range().offset, 2'000'000u);
}

TEST(Sharing, ReadsAlongWhatTheOtherBrings) {
  TwoStores world;
  auto bell = std::make_shared<test::Bell>();
  world.two->when_readable(500'000, 100'000, [bell] { bell->ring(); });
  ASSERT_TRUE(test::bring(*world.one, kBytes, 0, 1'000'000));
  ASSERT_TRUE(bell->wait());
  EXPECT_EQ(test::read(*world.two, 500'000, 100'000), kBytes.substr(500'000, 100'000));
}

TEST(Sharing, IsWholeForBothWhenEachHasBroughtHalf) {
  TwoStores world;
  ASSERT_TRUE(test::bring(*world.two, kBytes, 3'000'000, kBytes.size()));
  ASSERT_TRUE(test::bring(*world.one, kBytes, 0, 3'000'000));
  ASSERT_EQ(test::wait_readable(*world.one), Blob::Readable::yes);
  ASSERT_EQ(test::wait_readable(*world.two), Blob::Readable::yes);
  EXPECT_EQ(test::read(*world.one), kBytes);
  EXPECT_EQ(test::read(*world.two), kBytes);
  ASSERT_TRUE(world.wait_sealed(kBytes, 2));
  EXPECT_EQ(test::files_in(world.layout.parts_directory()), 0u);
  EXPECT_EQ(test::files_in(world.layout.blobs_directory()), 1u);
}

TEST(Sharing, GoesOnWithTheRestWhenTheOtherEnds) {
  TwoStores world;
  ASSERT_TRUE(test::bring(*world.one, kBytes, 0, 2'000'000));
  std::optional<Claim> claim = world.one->claim(2'000'000, 1'000'000);
  EXPECT_EQ(world.two->claim(2'000'000, 1'000'000), std::nullopt);
  claim.reset();
  world.one.reset();
  world.store.reset();
  ASSERT_TRUE(test::bring(*world.two, kBytes));
  ASSERT_EQ(test::wait_readable(*world.two), Blob::Readable::yes);
  EXPECT_EQ(test::read(*world.two), kBytes);
}

TEST(Sharing, LeavesThePartToTheOtherWhenOneLetsGo) {
  TwoStores world;
  world.one.reset();
  world.store.reset();
  EXPECT_EQ(test::files_in(world.layout.parts_directory()), 1u);
  ASSERT_TRUE(test::bring(*world.two, kBytes));
  ASSERT_EQ(test::wait_readable(*world.two), Blob::Readable::yes);
  EXPECT_EQ(test::read(*world.two), kBytes);
}

TEST(Sharing, TakesWhatTheOtherPublishesWhileItLooksForThePart) {
  TwoDisks world;
  world.second_disk->before_touching(world.part, [&world] {
    ASSERT_TRUE(test::bring(*world.blob(kBytes), kBytes));
    ASSERT_TRUE(world.wait_sealed(kBytes));
  });
  std::shared_ptr<Blob> blob = *world.second_store->blob(kDigest, kBytes.size());
  EXPECT_EQ(blob->claim(0, kBytes.size()), std::nullopt) << "what is here is fetched again";
  EXPECT_EQ(test::wait_readable(*blob), Blob::Readable::yes);
  EXPECT_EQ(test::files_in(world.layout.parts_directory()), 0u);
}

TEST(Sharing, AsksForNothingThatTheOtherHadBroughtBeforeItLeft) {
  TwoDisks world;
  std::shared_ptr<Blob> one = world.blob(kBytes);
  std::shared_ptr<Blob> two = *world.second_store->blob(kDigest, kBytes.size());
  test::Bell looking;
  std::promise<void> left;
  // From here to the end of the other it learns nothing.
  world.second_disk->before_touching(world.layout.ranges(world.part), [&] {
    looking.ring();
    left.get_future().wait();
  });
  ASSERT_TRUE(looking.wait());
  ASSERT_TRUE(test::bring(*one, kBytes));
  ASSERT_TRUE(world.wait_sealed(kBytes));
  one.reset();
  world.store.reset();
  std::future<bool> claimed = std::async(std::launch::async, [&] { return two->claim(0, kBytes.size()).has_value(); });
  claimed.wait_for(std::chrono::seconds(1));  // one that does not look is there by now
  left.set_value();
  EXPECT_FALSE(claimed.get()) << "what is here is fetched again";
  EXPECT_EQ(test::wait_readable(*two), Blob::Readable::yes);
}

TEST(Sharing, TellsBothThatTheBytesAreWrong) {
  TwoStores world;
  std::string wrong = kBytes;
  wrong[100] ^= 1;
  auto bell = std::make_shared<test::Bell>();
  world.two->when_readable(0, 1'000'000, [bell] { bell->ring(); });
  ASSERT_TRUE(test::bring(*world.one, wrong, 0, 1'000'000));
  ASSERT_TRUE(bell->wait());
  ASSERT_TRUE(test::bring(*world.one, wrong));
  EXPECT_EQ(test::wait_readable(*world.one), Blob::Readable::failed);
  EXPECT_EQ(test::wait_readable(*world.two), Blob::Readable::failed);
  EXPECT_EQ(test::files_in(world.layout.blobs_directory()), 0u);
  world.clock.advance(kFailureMemory);
  ASSERT_TRUE(world.two->retry_if_due());
  ASSERT_TRUE(test::bring(*world.two, kBytes));
  ASSERT_EQ(test::wait_readable(*world.two), Blob::Readable::yes);
  EXPECT_EQ(test::read(*world.two), kBytes);
}

}  // namespace
}  // namespace regfs::cache::sharing_test
