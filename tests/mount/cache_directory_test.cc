// SPDX-License-Identifier: MIT
// C7, C13: the cache directory is missing, not to be written, on a disk that is read-only or knows little, or somebody
// else's: it works, or one sentence says what to do.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/mount/startup_fixture.h"

namespace regfs::test::cache_directory_test {
namespace {

class CacheDirectory : public StartupWorld {
 protected:
  void TearDown() override {
    StartupWorld::TearDown();
    ::umount2(disk_.c_str(), MNT_DETACH);
  }

  // Why there is none of that type; empty when there is one, at disk_.
  std::string mount_disk(const char* type, const char* options) const {
    ::mkdir(disk_.c_str(), 0700);
    return ::mount(type, disk_.c_str(), type, 0, options) == 0 ? ""
                                                               : std::string("no ") + type + " can be mounted here";
  }
  bool remount_disk(bool read_only) const {
    return ::mount(nullptr, disk_.c_str(), nullptr, MS_REMOUNT | (read_only ? MS_RDONLY : 0), nullptr) == 0;
  }
  // Retries what was refused for a reason that is gone.
  void expect_readable(const MountedRegfs& mount, const std::string& tag, const SampleImage& image) const {
    ReadOutcome read;
    const auto deadline = std::chrono::steady_clock::now() + kAfterFailureMemory;
    do {
      read = read_file(tar_of(mount, "app", tag));
    } while (read.error != 0 && std::chrono::steady_clock::now() < deadline);
    EXPECT_EQ(read.error, 0) << mount.log();
    EXPECT_TRUE(same_bytes(read.bytes, model_of(image, "app", tag).bytes()));
  }
  std::vector<std::string> command(const std::string& cache) const {
    return {regfs_program(), "-f", "--cache-dir", cache, mountpoint_};
  }
  static uint32_t mode_of(const std::string& path) {
    struct stat st {};
    return ::stat(path.c_str(), &st) == 0 ? st.st_mode & 07777 : 0;
  }

  const std::string disk_ = scratch_ / "disk";
};

TEST_F(CacheDirectory, ThatIsMissingIsMadeForItsUserAlone) {
  const std::string cache = scratch_ / "a/b/cache";
  const MountedRegfs mount({.cache_directory = cache});
  REGFS_ASSERT_MOUNTED(mount);
  expect_readable(mount, "latest", image_);
  EXPECT_EQ(mode_of(cache), 0700u);
  const std::string blob = published_path(cache, image_.layers[0].digest);
  EXPECT_TRUE(eventually(std::chrono::seconds(20), [&] { return exists(blob); }));
}

TEST_F(CacheDirectory, ThatIsNoDirectoryIsRefused) {
  std::ofstream(scratch_ / "file") << "x";
  std::filesystem::create_symlink("nowhere", scratch_ / "link");
  expect_refusal_of(command(scratch_ / "file"), {scratch_ / "file"});
  expect_refusal_of(command(scratch_ / "file/below"), {scratch_ / "file", "--cache-dir"});
  expect_refusal_of(command(scratch_ / "link"), {scratch_ / "link"});
}

TEST_F(CacheDirectory, OfAnotherUserIsUsedByRootWithAWarning) {
  ::mkdir(cache_.c_str(), 0700);
  if (::chown(cache_.c_str(), 65534, 65534) != 0) GTEST_SKIP() << "a directory cannot be given to nobody";
  const MountedRegfs mount({.cache_directory = cache_});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(contains(mount.log(), "belongs to another user"));
  expect_readable(mount, "latest", image_);
}

TEST_F(CacheDirectory, ThatOthersMayWriteIsUsedWithAWarning) {
  ::mkdir(cache_.c_str(), 0700);
  ASSERT_EQ(::chmod(cache_.c_str(), 0777), 0);
  const MountedRegfs mount({.cache_directory = cache_});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(contains(mount.log(), "chmod 700"));
  expect_readable(mount, "latest", image_);
}

TEST_F(CacheDirectory, OnAReadOnlyDiskIsRefusedWithAdvice) {
  if (const std::string reason = mount_disk("tmpfs", "size=16m"); !reason.empty()) GTEST_SKIP() << reason;
  ASSERT_TRUE(remount_disk(true));
  expect_refusal_of(command(disk_ + "/cache"), {disk_ + "/cache", "Read-only file system", "--cache-dir"});
}

TEST_F(CacheDirectory, OnADiskThatBecomesReadOnlyServesWhatItHasAndRecovers) {
  if (const std::string reason = mount_disk("tmpfs", "size=16m"); !reason.empty()) GTEST_SKIP() << reason;
  const SampleImage other = make_image({.layers = {seeded_layer(2, 3'000'000)}});
  registry_.push("app", "other", other);
  MountedRegfs mount({.cache_directory = disk_ + "/cache"});
  REGFS_ASSERT_MOUNTED(mount);
  expect_readable(mount, "latest", image_);
  // What was written is closed some time after it was read.
  ASSERT_TRUE(eventually(std::chrono::seconds(20), [&] { return remount_disk(true); }));
  const OpenOutcome cached = open_file(tar_of(mount, "app", "latest"));
  ASSERT_EQ(cached.error, 0) << mount.log();
  forget_pages(cached.fd.get());
  const std::string wanted = model_of(image_, "app", "latest").bytes();
  EXPECT_TRUE(same_bytes(read_at(cached.fd.get(), 0, wanted.size()).bytes, wanted));
  EXPECT_EQ(read_file(tar_of(mount, "app", "other")).error, EROFS) << mount.log();
  ASSERT_TRUE(remount_disk(false));
  expect_readable(mount, "other", other);
}

// No extended attributes of users, no holes, and it does not say how large it is.
TEST_F(CacheDirectory, WhoseEmptyDirectoriesACleanerRemovesMakesThemAgain) {
  const std::string cache = scratch_ / "cleaned";
  const MountedRegfs mount({.cache_directory = cache});
  REGFS_ASSERT_MOUNTED(mount);
  for (const char* directory : {"/parts", "/tmp", "/blobs/sha256", "/blobs", "/seals/sha256", "/seals"}) {
    ASSERT_EQ(::rmdir((cache + directory).c_str()), 0) << directory;
  }
  const ReadOutcome read = read_file(tar_of(mount, "app", "latest"));
  EXPECT_EQ(read.error, 0) << mount.log();
  EXPECT_TRUE(same_bytes(read.bytes, model_of(image_, "app", "latest").bytes()));
  const std::string blob = published_path(cache, image_.layers[0].digest);
  EXPECT_TRUE(eventually(std::chrono::seconds(20), [&] { return exists(blob); })) << mount.log();
  EXPECT_FALSE(contains(mount.log(), "error: ")) << mount.log();
}

TEST_F(CacheDirectory, OnADiskThatKnowsLittleWorks) {
  if (const std::string reason = mount_disk("ramfs", nullptr); !reason.empty()) GTEST_SKIP() << reason;
  const SampleImage large = make_image({.layers = {seeded_layer(3, 40'000'000)}});
  registry_.push("app", "large", large);
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{}, {"--cache-size", "32M"}, {"--no-cache"}}) {
    MountedRegfs mount({.arguments = arguments, .cache_directory = disk_ + "/cache"});
    REGFS_ASSERT_MOUNTED(mount);
    expect_readable(mount, "latest", image_);
    expect_readable(mount, "large", large);
  }
}

}  // namespace
}  // namespace regfs::test::cache_directory_test
