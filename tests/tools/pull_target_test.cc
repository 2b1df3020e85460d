// SPDX-License-Identifier: MIT
#include "tools/pull_target.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "tests/support/posix_file.h"
#include "tests/support/temp_dir.h"

namespace regfs::pull_target_test {
namespace {

using test::exists;
using test::text_file;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

class PullTargetTest : public testing::Test {
 protected:
  std::unique_ptr<PullTarget> opened(uint64_t size_bytes) {
    Result<std::unique_ptr<PullTarget>> target = PullTarget::file(path_, size_bytes);
    if (target) return *std::move(target);
    ADD_FAILURE() << target.error().context();
    return nullptr;
  }
  void put(const std::string& path, const std::string& text) { std::ofstream(path) << text; }
  // Writes it in pieces of three bytes and gives it its name.
  void write_all(const std::string& text) {
    const std::unique_ptr<PullTarget> target = opened(text.size());
    ASSERT_NE(target, nullptr);
    for (size_t at = 0; at < text.size(); at += 3) ASSERT_TRUE(target->write(at, bytes_of(text.substr(at, 3))));
    ASSERT_TRUE(target->publish());
  }

  const test::TempDir scratch_;
  const std::string path_ = scratch_ / "a.tar";
  const std::string part_ = path_ + ".part";
};

TEST_F(PullTargetTest, HasItsNameAtTheEndOnly) {
  const std::unique_ptr<PullTarget> target = opened(6);
  ASSERT_TRUE(target->write(0, bytes_of("abcdef")));
  EXPECT_FALSE(exists(path_));
  EXPECT_EQ(text_file(part_), "abcdef");
  ASSERT_TRUE(target->publish());
  EXPECT_EQ(text_file(path_), "abcdef");
  EXPECT_FALSE(exists(part_));
}

TEST_F(PullTargetTest, LeavesItsPartForALaterRunUnlessDiscarded) {
  ASSERT_TRUE(opened(6)->write(0, bytes_of("abc")));
  EXPECT_EQ(text_file(part_), "abc");
  opened(6)->discard();
  EXPECT_FALSE(exists(part_));
  EXPECT_FALSE(exists(path_));
}

TEST_F(PullTargetTest, GoesOnFromAPartThatIsTheSame) {
  put(part_, "abcd");
  write_all("abcdefgh");
  EXPECT_EQ(text_file(path_), "abcdefgh");
}

TEST_F(PullTargetTest, BelievesNothingOfAPartThatDiffers) {
  for (const char* const old : {"Xbcdefgh", "abcXefgh", "abcdefgX", "abcdefghijklmnop", "Xbcdefghijkl", ""}) {
    put(part_, old);
    write_all("abcdefgh");
    EXPECT_EQ(text_file(path_), "abcdefgh") << old;
  }
}

TEST_F(PullTargetTest, WritesNothingAnewThatIsThere) {
  put(part_, "abcdef");
  const timespec past[] = {{1'000'000, 0}, {1'000'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, part_.c_str(), past, 0), 0);
  const std::unique_ptr<PullTarget> target = opened(6);
  ASSERT_TRUE(target->write(0, bytes_of("abc")));
  ASSERT_TRUE(target->write(3, bytes_of("def")));
  EXPECT_EQ(test::stat_of(part_)->st_mtime, 1'000'000);
}

TEST_F(PullTargetTest, ReplacesAnOlderFile) {
  put(path_, "something older and longer");
  write_all("abc");
  EXPECT_EQ(text_file(path_), "abc");
}

TEST_F(PullTargetTest, IsLockedForAnother) {
  const std::unique_ptr<PullTarget> first = opened(3);
  Result<std::unique_ptr<PullTarget>> second = PullTarget::file(path_, 3);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().context().find("another regfs-pull writes"), std::string::npos) << second.error().context();
  ASSERT_TRUE(first->write(0, bytes_of("abc")));
  ASSERT_TRUE(first->publish());
  EXPECT_TRUE(PullTarget::file(path_, 3)) << "a published file is locked by nobody";
}

TEST_F(PullTargetTest, IsRefusedWhereThereIsNoRoom) {
  constexpr uint64_t kExbibyte = 1ull << 60;
  Result<std::unique_ptr<PullTarget>> target = PullTarget::file(path_, kExbibyte);
  ASSERT_FALSE(target);
  EXPECT_EQ(target.error().code().value(), ENOSPC);
  EXPECT_NE(target.error().context().find("has room for"), std::string::npos);
  EXPECT_FALSE(exists(part_));
}

TEST_F(PullTargetTest, ThatIsRefusedForRoomKeepsWhatAnEarlierRunLeft) {
  put(part_, "abc");
  ASSERT_FALSE(PullTarget::file(path_, 1ull << 60));
  EXPECT_EQ(text_file(part_), "abc");
}

TEST_F(PullTargetTest, ThatTurnsInALoopOfLinksIsRefused) {
  ASSERT_EQ(::symlink("b", (scratch_ / "a").c_str()), 0);
  ASSERT_EQ(::symlink("a", (scratch_ / "b").c_str()), 0);
  EXPECT_FALSE(PullTarget::file(scratch_ / "a", 3));
}

TEST(DefaultFileName, HasNoSeparatorInIt) {
  EXPECT_EQ(default_file_name("docker.io/library/nginx", "latest", "linux-amd64"),
            "docker.io_library_nginx_latest_linux-amd64.tar");
  EXPECT_EQ(default_file_name("localhost:5000/img", "1.0", "linux-arm-v7"), "localhost_5000_img_1.0_linux-arm-v7.tar");
  EXPECT_EQ(default_file_name("ghcr.io/a", "sha256:00ff", "linux-amd64"), "ghcr.io_a_sha256_00ff_linux-amd64.tar");
}

}  // namespace
}  // namespace regfs::pull_target_test
