// SPDX-License-Identifier: MIT
// C4, C5: the disk of the cache is small, or filled by somebody else in the middle.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/mount/mount_fixture.h"

namespace regfs::test {
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
}  // namespace regfs::test
