// SPDX-License-Identifier: MIT
// C4, C5: the disk of the cache is small, or filled by somebody else in the middle.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <tuple>
#include <utility>

#include "tests/mount/mount_fixture.h"

namespace regfs::test::small_disk_test {
namespace {

class SmallDisk : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (IsSkipped()) return;
    ::mkdir(disk_.c_str(), 0700);
    if (::mount("tmpfs", disk_.c_str(), "tmpfs", 0, "size=64m") != 0) GTEST_SKIP() << "no tmpfs can be mounted here";
    for (int i = 0; i < 4; ++i) {
      images_.push_back(make_image({.layers = {seeded_layer(static_cast<uint64_t>(i) + 1, 20'000'000)}}));
      registry_.push("app", std::to_string(i), images_.back());
    }
  }
  void TearDown() override { ::umount2(disk_.c_str(), MNT_DETACH); }

  ReadOutcome read(const MountedRegfs& mount, size_t image) const {
    return read_file(tar_of(mount, "app", std::to_string(image)));
  }
  std::string wanted(size_t image) const { return model_of(images_[image], "app", std::to_string(image)).bytes(); }

  std::vector<SampleImage> images_;
  const TempDir scratch_;
  const std::string disk_ = scratch_ / "disk";
};

TEST_F(SmallDisk, ReadsImagesOneAfterTheOtherThatDoNotFitTogether) {
  MountedRegfs mount({.cache_directory = disk_ + "/cache"});
  REGFS_ASSERT_MOUNTED(mount);
  for (size_t image = 0; image < images_.size(); ++image) {
    const ReadOutcome got = read(mount, image);
    EXPECT_EQ(got.error, 0) << mount.log();
    EXPECT_TRUE(same_bytes(got.bytes, wanted(image)));
  }
}

// 64 MiB of disk, and 200 MB to read: in one layer, or in several.
TEST_F(SmallDisk, ReadsAnImageThroughThatItCannotHold) {
  const SampleImage whole = make_image({.layers = {seeded_layer(11, 200'000'000), seeded_layer(12, 1'000)}});
  const SampleImage split =
      make_image({.layers = {seeded_layer(13, 50'000'000), seeded_layer(14, 14'000'000), seeded_layer(15, 70'000'000),
                             seeded_layer(16, 3'000'000), seeded_layer(17, 63'000'000)}});
  registry_.push("large", "whole", whole);
  registry_.push("large", "split", split);
  // By its budget, and by what the disk has.
  for (const auto& [size, tag, image] : {std::tuple("32M", "split", &split), std::tuple("10G", "whole", &whole)}) {
    MountedRegfs mount({.arguments = {"--cache-size", size}, .cache_directory = disk_ + "/cache"});
    REGFS_ASSERT_MOUNTED(mount);
    const ReadOutcome got = read_file(tar_of(mount, "large", tag));
    EXPECT_EQ(got.error, 0) << mount.log();
    EXPECT_TRUE(got.bytes == model_of(*image, "large", tag).bytes()) << size << " " << tag;
    EXPECT_TRUE(contains(mount.log(), "is read as a stream"));
    // What fits is kept beside it.
    EXPECT_EQ(read(mount, 0).error, 0) << mount.log();
  }
}

TEST_F(SmallDisk, GoesOnWithAStreamWhenSomebodyFilledItInTheMiddle) {
  const SampleImage image = make_image({.layers = {seeded_layer(11, 100'000'000)}});
  registry_.push("large", "1", image);
  MountedRegfs mount({.cache_directory = disk_ + "/cache"});
  REGFS_ASSERT_MOUNTED(mount);
  const std::string wanted_bytes = model_of(image, "large", "1").bytes();
  const OpenOutcome file = open_file(tar_of(mount, "large", "1"));
  ASSERT_EQ(file.error, 0);
  const std::string filler = disk_ + "/filler";
  constexpr uint64_t kPiece = 1'000'000;
  bool filled = false;
  const auto deadline = std::chrono::steady_clock::now() + 4 * kAfterFailureMemory;
  for (uint64_t at = 0; at < wanted_bytes.size() && std::chrono::steady_clock::now() < deadline;) {
    if (at >= 20 * kPiece && !std::exchange(filled, true)) {
      std::ofstream out(filler, std::ios::binary);
      const std::string piece(1 << 20, 'x');
      while (out.write(piece.data(), static_cast<std::streamsize>(piece.size())).flush()) {
      }
    }
    const ReadOutcome got = read_at(file.fd.get(), at, kPiece);
    if (got.error != 0) {
      EXPECT_EQ(got.error, ENOSPC) << mount.log();
      ::unlink(filler.c_str());
      continue;
    }
    ASSERT_TRUE(same_bytes(got.bytes, wanted_bytes.substr(at, kPiece)));
    at += kPiece;
    if (at >= wanted_bytes.size()) return;
  }
  FAIL() << "it did not get to the end:\n" << mount.log();
}

TEST_F(SmallDisk, IsShortOfRoomForALayerReadFromItsEnd) {
  const SampleImage image = make_image({.layers = {seeded_layer(11, 100'000'000)}});
  registry_.push("large", "1", image);
  MountedRegfs mount({.arguments = {"--cache-size", "32M"}, .cache_directory = disk_ + "/cache"});
  REGFS_ASSERT_MOUNTED(mount);
  const std::string wanted_bytes = model_of(image, "large", "1").bytes();
  OpenOutcome file = open_file(tar_of(mount, "large", "1"));
  ASSERT_EQ(file.error, 0);
  constexpr uint64_t kPiece = 1 << 20;
  int error = 0;
  for (uint64_t at = 90'000'000; at > 20'000'000; at -= 2 * kPiece) {
    const ReadOutcome got = read_at(file.fd.get(), at, kPiece);
    error = got.error;
    if (error != 0) break;
    EXPECT_TRUE(same_bytes(got.bytes, wanted_bytes.substr(at, kPiece)));
  }
  EXPECT_EQ(error, ENOSPC);
  EXPECT_TRUE(contains(mount.log(), "can only be read in order"));
  // Whoever opens it anew and reads from the beginning gets through.
  file = OpenOutcome{};
  ReadOutcome again;
  const auto deadline = std::chrono::steady_clock::now() + kAfterFailureMemory;
  do {
    again = read_file(tar_of(mount, "large", "1"));
  } while (again.error != 0 && std::chrono::steady_clock::now() < deadline);
  EXPECT_EQ(again.error, 0) << mount.log();
  EXPECT_TRUE(again.bytes == wanted_bytes);
}

TEST_F(SmallDisk, FailsOneReadWhenSomebodyFillsItAndRecoversWithoutARemount) {
  MountedRegfs mount({.cache_directory = disk_ + "/cache"});
  REGFS_ASSERT_MOUNTED(mount);
  ASSERT_EQ(read(mount, 0).error, 0);
  OpenOutcome cached = open_file(tar_of(mount, "app", "0"));
  const std::string filler = disk_ + "/filler";
  {
    std::ofstream out(filler, std::ios::binary);
    const std::string piece(1 << 20, 'x');
    while (out.write(piece.data(), static_cast<std::streamsize>(piece.size())).flush()) {
    }
  }
  const ReadOutcome failed = read(mount, 1);
  EXPECT_EQ(failed.error, ENOSPC);
  EXPECT_TRUE(contains(mount.log(), "is full"));
  forget_pages(cached.fd.get());
  EXPECT_TRUE(same_bytes(read_at(cached.fd.get(), 0, 20'000'000).bytes, wanted(0).substr(0, 20'000'000)));
  ::unlink(filler.c_str());
  ReadOutcome again;
  const auto deadline = std::chrono::steady_clock::now() + kAfterFailureMemory;
  do {
    again = read(mount, 1);
  } while (again.error != 0 && std::chrono::steady_clock::now() < deadline);
  EXPECT_EQ(again.error, 0) << mount.log();
  EXPECT_TRUE(same_bytes(again.bytes, wanted(1)));
}

}  // namespace
}  // namespace regfs::test::small_disk_test
