// SPDX-License-Identifier: MIT
#include "cache/disk.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/small_files.h"
#include "tests/cache/cache_world.h"

namespace regfs::cache::disk_test {
namespace {

using test::bytes_of;
using test::TempDir;

TEST(Disk, FollowsNoSymbolicLink) {
  TempDir dir;
  test::put_file(dir / "target", "secret");
  ASSERT_EQ(::symlink((dir / "target").c_str(), (dir / "link").c_str()), 0);
  std::shared_ptr<Disk> disk = system_disk();
  for (OpenFor purpose : {OpenFor::reading, OpenFor::writing, OpenFor::writing_new, OpenFor::writing_maybe_new}) {
    EXPECT_FALSE(disk->open(dir / "link", purpose));
  }
  EXPECT_FALSE(disk->facts(dir / "link")->regular);
}

TEST(Disk, DoesNotWaitForTheOtherEndOfAFifo) {
  TempDir dir;
  ASSERT_EQ(::mkfifo((dir / "fifo").c_str(), 0600), 0);
  Result<std::unique_ptr<DiskFile>> file = system_disk()->open(dir / "fifo", OpenFor::reading);
  ASSERT_TRUE(file);
  EXPECT_FALSE((*file)->facts()->regular);
}

TEST(Disk, SaysWhenAFileIsShorterThanAsked) {
  TempDir dir;
  test::put_file(dir / "short", "abc");
  Result<std::unique_ptr<DiskFile>> file = system_disk()->open(dir / "short", OpenFor::reading);
  ASSERT_TRUE(file);
  std::byte four[4];
  Result<void> read = read_exactly(**file, 0, four);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), std::errc::io_error);
}

TEST(Disk, KeepsTheErrnoOfWhatFailed) {
  TempDir dir;
  EXPECT_TRUE(is_missing(system_disk()->open(dir / "absent", OpenFor::reading).error()));
  test::put_file(dir / "there", "");
  EXPECT_EQ(system_disk()->open(dir / "there", OpenFor::writing_new).error().code(), std::errc::file_exists);
  EXPECT_EQ(system_disk()->make_directory(dir / "there/below").error().code(), std::errc::not_a_directory);
}

TEST(Disk, MakesFilesAndDirectoriesForTheirOwnerOnly) {
  TempDir dir;
  std::shared_ptr<Disk> disk = system_disk();
  ASSERT_TRUE(disk->make_directory(dir / "a/b"));
  ASSERT_TRUE(disk->make_directory(dir / "a/b"));
  ASSERT_TRUE(disk->open(dir / "a/b/c", OpenFor::writing_new));
  EXPECT_EQ(disk->facts(dir / "a")->permissions, 0700u);
  EXPECT_EQ(disk->facts(dir / "a/b/c")->permissions, 0600u);
}

TEST(Disk, MakesAnEmptyDirectoryAgainThatACleanerRemoved) {
  TempDir dir;
  std::shared_ptr<Disk> disk = system_disk();
  ASSERT_TRUE(disk->open(dir / "a/new", OpenFor::writing_new));
  ASSERT_TRUE(disk->open(dir / "b/new", OpenFor::writing_maybe_new));
  EXPECT_TRUE(disk->rename(dir / "a/new", dir / "c/renamed"));
  EXPECT_TRUE(disk->facts(dir / "c/renamed"));
  EXPECT_EQ(disk->facts(dir / "c")->permissions, 0700u);
  for (OpenFor purpose : {OpenFor::reading, OpenFor::writing}) {
    Result<std::unique_ptr<DiskFile>> none = disk->open(dir / "d/old", purpose);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code().value(), ENOENT);
  }
  EXPECT_FALSE(disk->facts(dir / "d"));
  EXPECT_FALSE(disk->rename(dir / "no such file", dir / "e/renamed"));
  EXPECT_FALSE(disk->facts(dir / "e"));
}

TEST(Disk, RemovesWhateverBearsTheName) {
  TempDir dir;
  std::shared_ptr<Disk> disk = system_disk();
  ASSERT_TRUE(disk->make_directory(dir / "full/of"));
  test::put_file(dir / "full/of/things", "x");
  EXPECT_TRUE(disk->remove(dir / "full"));
  EXPECT_TRUE(disk->remove(dir / "full"));
  EXPECT_TRUE(is_missing(disk->facts(dir / "full").error()));
}

TEST(Disk, LocksAFileOnce) {
  TempDir dir;
  std::shared_ptr<Disk> disk = system_disk();
  Result<std::unique_ptr<DiskFile>> one = disk->open(dir / "f", OpenFor::writing_new);
  Result<std::unique_ptr<DiskFile>> other = disk->open(dir / "f", OpenFor::writing);
  EXPECT_TRUE(*(*one)->try_lock());
  EXPECT_FALSE(*(*other)->try_lock());
  one->reset();
  EXPECT_TRUE(*(*other)->try_lock());
}

TEST(SmallFiles, LeaveTheOldTextWhenTheDiskIsFull) {
  test::CacheWorld world;
  SmallFiles files(world.disk, world.layout);
  std::string path = world.directory + "/text";
  ASSERT_TRUE(files.write(path, "old", SmallFiles::Durability::synced));
  world.disk->set_room(2);
  Result<FileFacts> written = files.write(path, "newer", SmallFiles::Durability::synced);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code(), std::errc::no_space_on_device);
  EXPECT_EQ(test::file_text(path), "old");
  EXPECT_EQ(test::files_in(world.layout.new_files_directory()), 0u);
}

TEST(SmallFiles, SweepOnlyWhatNobodyWrites) {
  test::CacheWorld world;
  SmallFiles files(world.disk, world.layout);
  test::put_file(world.layout.new_files_directory() + "/1.1", "debris");
  Result<std::unique_ptr<DiskFile>> busy =
      system_disk()->open(world.layout.new_files_directory() + "/1.2", OpenFor::writing_new);
  ASSERT_TRUE(*(*busy)->try_lock());
  files.sweep();
  EXPECT_EQ(test::files_in(world.layout.new_files_directory()), 1u);
}

TEST(SmallFiles, AreAbsentWhenTooLongOrNoFile) {
  TempDir dir;
  SmallFiles files(system_disk(), Layout(dir.path()));
  test::put_file(dir / "long", "12345");
  EXPECT_EQ(*files.read(dir / "long", 4), std::nullopt);
  EXPECT_EQ(*files.read(dir / "long", 5), "12345");
  EXPECT_EQ(*files.read(dir / "absent", 5), std::nullopt);
  EXPECT_EQ(*files.read(dir.path(), 5), std::nullopt);
}

}  // namespace
}  // namespace regfs::cache::disk_test
