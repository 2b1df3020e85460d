// SPDX-License-Identifier: MIT
#include "cache/part_shelf.h"

#include <gtest/gtest.h>

#include "tests/cache/cache_world.h"

namespace regfs::cache::part_shelf_test {
namespace {

constexpr uint64_t kSize = 10'000;
const Digest kDigest = sha256_of("a layer");

struct ShelfWorld : test::CacheWorld {
  std::shared_ptr<SmallFiles> small_files = std::make_shared<SmallFiles>(disk, layout);
  PartShelf shelf{disk, small_files, layout};
  const std::string path = layout.part(kDigest, kSize);

  void leave(uint64_t file_bytes, const PartRecord& record) {
    test::put_file(path, std::string(file_bytes, 'x'));
    test::put_file(layout.ranges(path), to_text(record));
  }
};

TEST(PartShelf, ForgetsTheRecordOfAPartItBeginsAnew) {
  ShelfWorld world;
  world.leave(1000, {kSize, "", true, IntervalSet({0, 2000})});
  {
    Result<PartShelf::Found> found = world.shelf.open(kDigest, kSize);
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->present.empty());
    ASSERT_TRUE(write_all(*found->part->file(), 5000, test::bytes_of("now the file is long enough")));
  }
  EXPECT_TRUE(world.shelf.open(kDigest, kSize)->present.empty());
}

TEST(PartShelf, BelievesNoRecordOfAnotherSize) {
  ShelfWorld world;
  world.leave(5000, {kSize + 1, "", true, IntervalSet({0, 2000})});
  EXPECT_TRUE(world.shelf.open(kDigest, kSize)->present.empty());
  world.leave(5000, {kSize, "", true, IntervalSet({0, 2000})});
  EXPECT_EQ(world.shelf.open(kDigest, kSize)->present, IntervalSet({0, 2000}));
}

TEST(PartShelf, SweepsNoPartThatSomebodyHas) {
  ShelfWorld world;
  Result<PartShelf::Found> found = world.shelf.open(kDigest, kSize);
  ASSERT_TRUE(found);
  world.shelf.sweep();
  EXPECT_EQ(test::files_in(world.layout.parts_directory()), 1u);
  *found = {};
  world.shelf.sweep();
  EXPECT_EQ(test::files_in(world.layout.parts_directory()), 0u);
}

TEST(PartShelf, LetsTwoFillOnePart) {
  ShelfWorld world;
  world.leave(5000, {kSize, "", true, IntervalSet({0, 2000})});
  Result<PartShelf::Found> one = world.shelf.open(kDigest, kSize);
  ASSERT_TRUE(one);
  EXPECT_FALSE(one->part->shared());
  Result<PartShelf::Found> other = world.shelf.open(kDigest, kSize);
  ASSERT_TRUE(other);
  EXPECT_TRUE(one->part->shared());
  EXPECT_EQ(other->present, IntervalSet({0, 2000}));
  EXPECT_TRUE(one->part->file()->facts()->same_file(*other->part->file()->facts()));
}

TEST(PartShelf, LocksARangeForOneOfThem) {
  ShelfWorld world;
  Result<PartShelf::Found> one = world.shelf.open(kDigest, kSize);
  Result<PartShelf::Found> other = world.shelf.open(kDigest, kSize);
  ASSERT_EQ(one->part->lock({2000, 3000}), (ByteRange{2000, 3000}));
  EXPECT_EQ(other->part->lock({0, 10'000}), (ByteRange{0, 2000}));
  EXPECT_EQ(other->part->lock({2500, 7500}), (ByteRange{5000, 5000}));
  EXPECT_EQ(other->part->lock({2500, 1000}), std::nullopt);
  EXPECT_TRUE(one->part->locked_elsewhere({5000, 5000}));
  EXPECT_FALSE(other->part->locked_elsewhere({0, 10'000}));
  *one = {};  // as when its process is killed
  EXPECT_EQ(other->part->lock({2500, 1000}), (ByteRange{2500, 1000}));
}

TEST(PartShelf, MergesWhatTwoHaveWrittenDown) {
  ShelfWorld world;
  Result<PartShelf::Found> one = world.shelf.open(kDigest, kSize);
  Result<PartShelf::Found> other = world.shelf.open(kDigest, kSize);
  ASSERT_TRUE(write_all(*one->part->file(), 0, test::bytes_of(std::string(kSize, 'x'))));
  ASSERT_TRUE(one->part->record(IntervalSet({0, 100}), PartFile::Sync::yes));
  IntervalSet both({0, 100});
  both.add({300, 100});
  EXPECT_EQ(other->part->record(IntervalSet({300, 100}), PartFile::Sync::no).value(), both);
  EXPECT_EQ(one->part->record(IntervalSet({0, 100}), PartFile::Sync::no).value(), both);
  *one = *other = {};
  EXPECT_EQ(world.shelf.open(kDigest, kSize)->present, both);
}

TEST(PartShelf, TakesNothingForSyncedThatAnotherWroteAfterTheSync) {
  ShelfWorld world;
  {
    Result<PartShelf::Found> one = world.shelf.open(kDigest, kSize);
    Result<PartShelf::Found> other = world.shelf.open(kDigest, kSize);
    ASSERT_TRUE(write_all(*one->part->file(), 0, test::bytes_of(std::string(kSize, 'x'))));
    ASSERT_TRUE(other->part->record(IntervalSet({300, 100}), PartFile::Sync::no));
    ASSERT_TRUE(one->part->record(IntervalSet({0, 100}), PartFile::Sync::yes));
  }
  EXPECT_NE(test::file_text(world.layout.ranges(world.path)).find("synced no"), std::string::npos);
}

TEST(PartShelf, WritesNothingThroughASymbolicLink) {
  ShelfWorld world;
  test::put_file(world.scratch / "outside", "outside");
  std::filesystem::create_symlink(world.scratch / "outside", world.path);
  Result<PartShelf::Found> found = world.shelf.open(kDigest, kSize);
  ASSERT_TRUE(found);
  ASSERT_TRUE(write_all(*found->part->file(), 0, test::bytes_of("inside")));
  EXPECT_EQ(test::file_text(world.scratch / "outside"), "outside");
}

}  // namespace
}  // namespace regfs::cache::part_shelf_test
