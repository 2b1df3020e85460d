// SPDX-License-Identifier: MIT
#include "cache/part_file.h"

#include <gtest/gtest.h>

#include "cache/part_shelf.h"
#include "tests/cache/cache_world.h"

namespace regfs::cache::part_file_test {
namespace {

const std::string kBytes = test::random_bytes(1, 10'000);
const Digest kDigest = sha256_of(kBytes);

// A part that two processes have, each with a disk of its own.
struct PartWorld : test::CacheWorld {
  std::shared_ptr<test::FaultyDisk> second_disk = std::make_shared<test::FaultyDisk>();
  PartShelf shelf{disk, std::make_shared<SmallFiles>(disk, layout), layout};
  PartShelf second_shelf{second_disk, std::make_shared<SmallFiles>(second_disk, layout), layout};
  std::shared_ptr<PartFile> one = shelf.open(kDigest, kBytes.size())->part;
  std::shared_ptr<PartFile> two = second_shelf.open(kDigest, kBytes.size())->part;
  const std::string path = layout.part(kDigest, kBytes.size());
  const IntervalSet half{{0, 5000}};
  const IntervalSet whole{{0, kBytes.size()}};

  void publish_by_one() {
    EXPECT_TRUE(write_all(*one->file(), 0, test::bytes_of(kBytes)));
    EXPECT_EQ(*one->record(whole, PartFile::Sync::no), whole);
    EXPECT_TRUE(one->publish(layout.blobs_directory()));
  }
  // Whether others have to leave the record alone just now.
  bool record_is_held() const { return two->file()->locked_elsewhere(kPartRecording)->has_value(); }
};

TEST(PartFile, RecordsNothingOnceItIsGone) {
  PartWorld world;
  ASSERT_TRUE(world.one->record(IntervalSet({0, 10}), PartFile::Sync::no));
  EXPECT_TRUE(std::filesystem::exists(world.layout.ranges(world.path)));
  world.one->discard();
  ASSERT_TRUE(world.one->record(IntervalSet({0, 20}), PartFile::Sync::yes));
  EXPECT_EQ(test::files_in(world.layout.parts_directory()), 0u);
}

TEST(PartFile, RemovesNoPartThatTookItsPlace) {
  PartWorld world;
  world.one->discard();
  Result<PartShelf::Found> next = world.shelf.open(kDigest, kBytes.size());
  ASSERT_TRUE(next);
  world.two->discard();
  ASSERT_TRUE(world.two->record(IntervalSet({0, 20}), PartFile::Sync::no));
  EXPECT_EQ(test::files_in(world.layout.parts_directory()), 1u);
}

TEST(PartFile, PublishesNoFileOfAnotherLength) {
  PartWorld world;
  ASSERT_TRUE(write_all(*world.one->file(), 0, test::bytes_of("too short")));
  EXPECT_FALSE(world.one->publish(world.layout.blobs_directory()));
  EXPECT_EQ(test::files_in(world.layout.blobs_directory()), 0u);
}

TEST(PartFile, IsPublishedByBothThatFilledIt) {
  PartWorld world;
  ASSERT_TRUE(write_all(*world.one->file(), 0, test::bytes_of(kBytes)));
  ASSERT_TRUE(world.one->publish(world.layout.blobs_directory()));
  EXPECT_EQ(world.two->record(IntervalSet({0, 20}), PartFile::Sync::no).value(), IntervalSet({0, kBytes.size()}));
  EXPECT_TRUE(world.two->publish(world.layout.blobs_directory()));
  EXPECT_EQ(test::files_in(world.layout.blobs_directory()), 1u);
  EXPECT_EQ(test::files_in(world.layout.parts_directory()), 0u);
}

// Otherwise what the other has brought is asked for again.
TEST(PartFile, IsWholeWhenTheOtherPublishesItWhileItsRecordIsLookedFor) {
  PartWorld world;
  world.second_disk->before_touching(world.layout.ranges(world.path), [&world] { world.publish_by_one(); });
  EXPECT_EQ(*world.two->record(world.half, PartFile::Sync::no), world.whole);
  EXPECT_EQ(test::files_in(world.layout.parts_directory()), 0u);
}

TEST(PartFile, IsGoneWhenTheOtherDiscardsItWhileItsRecordIsLookedFor) {
  PartWorld world;
  world.second_disk->before_touching(world.layout.ranges(world.path), [&world] { world.one->discard(); });
  const Result<IntervalSet> recorded = world.two->record(world.half, PartFile::Sync::no);
  ASSERT_FALSE(recorded);
  EXPECT_TRUE(recorded.error().is(Errc::cancelled)) << recorded.error().context();
  EXPECT_EQ(test::files_in(world.layout.parts_directory()), 0u);
}

// Or a record is left of what is no part any more.
TEST(PartFile, HasItsRecordToItselfWhileItIsPublished) {
  PartWorld world;
  bool held = false;
  world.disk->before_touching(world.path, [&] { held = world.record_is_held(); });
  world.publish_by_one();
  EXPECT_TRUE(held);
  EXPECT_FALSE(world.record_is_held());
}

TEST(PartFile, HasItsRecordToItselfWhileItIsDiscarded) {
  PartWorld world;
  bool held = false;
  world.disk->before_touching(world.path, [&] { held = world.record_is_held(); });
  world.one->discard();
  EXPECT_TRUE(held);
  EXPECT_FALSE(world.record_is_held());
}

}  // namespace
}  // namespace regfs::cache::part_file_test
