// SPDX-License-Identifier: MIT
#include "fs/tar_layout.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <random>

#include "base/unique_fd.h"
#include "fs/tar_header.h"
#include "tests/fs/archive_bytes.h"
#include "tests/fs/gnu_tar.h"
#include "tests/support/temp_dir.h"

namespace regfs::fs::tar_layout_test {
namespace {

using test::archive_bytes;

constexpr uint64_t kEverything = std::numeric_limits<uint64_t>::max();

std::string header_of(std::string_view name, uint64_t size_bytes) {
  TarHeader header = tar_header(name, size_bytes);
  return {header.data(), header.size()};
}

std::string zeros(size_t count) {
  return std::string(count, '\0');
}

// Every kind of neighbour: files and blobs that are empty, of a block, and of odd lengths.
const std::vector<std::string> kBlobs = {std::string(1000, 'x'), "", std::string(512, 'y'), "z"};

TarLayout mixed_layout() {
  return TarLayout({{"empty", ""},
                    {"directory/", ""},
                    {"block", std::string(512, 'b')},
                    {"blob-0", BlobMember{1000}},
                    {"blob-1", BlobMember{0}},
                    {"blob-2", BlobMember{512}},
                    {"odd", "odd"},
                    {"blob-3", BlobMember{1}}});
}

// The archive as a file in which blobs are holes.
bool write_sparse(const std::string& path, const TarLayout& layout) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.ok() || ::ftruncate(fd.get(), static_cast<off_t>(layout.size_bytes())) != 0) return false;
  uint64_t offset = 0;
  for (const Slice& slice : layout.slices(0, kEverything)) {
    const auto at = static_cast<off_t>(offset);
    const auto length = static_cast<ssize_t>(slice.bytes.size());
    if (::pwrite(fd.get(), slice.bytes.data(), slice.bytes.size(), at) != length) return false;
    offset += slice.length();
  }
  return true;
}

TEST(TarLayoutDeathTest, RefusesAnArchiveThatFitsNoSignedSize) {
  EXPECT_DEATH(TarLayout({{"a", BlobMember{kEverything}}}), "signed 64-bit size");
  EXPECT_DEATH(TarLayout({{"a", BlobMember{1ull << 62}}, {"b", BlobMember{1ull << 62}}}), "signed 64-bit size");
  EXPECT_DEATH(TarLayout({{"a", BlobMember{(1ull << 63) - 1 - 512}}}),
               "signed 64-bit size");  // its padding does not fit
}

TEST(TarLayoutDeathTest, RefusesABlobNumberThatDoesNotExist) {
  TarLayout layout({{"a", BlobMember{1}}});
  EXPECT_DEATH(layout.blob_archive_offset(1), "no blob of that number");
}

TEST(TarLayout, OfNothingIsTwoZeroBlocks) {
  TarLayout layout({});
  EXPECT_EQ(layout.size_bytes(), 1024U);
  EXPECT_EQ(archive_bytes(layout, {}), zeros(1024));
}

TEST(TarLayout, HasNoSlicesBehindItsEnd) {
  TarLayout layout = mixed_layout();
  EXPECT_TRUE(layout.slices(layout.size_bytes(), 1).empty());
  EXPECT_TRUE(layout.slices(kEverything, kEverything).empty());
  EXPECT_TRUE(layout.slices(0, 0).empty());
}

TEST(TarLayout, ClipsARangeToItsEnd) {
  TarLayout layout = mixed_layout();
  const uint64_t near_end = layout.size_bytes() - 3;
  EXPECT_EQ(archive_bytes(layout, kBlobs, near_end, 4), zeros(3));
  EXPECT_EQ(archive_bytes(layout, kBlobs, near_end, kEverything), zeros(3));  // offset + length would overflow
}

TEST(TarLayout, PadsEveryMemberToABlock) {
  TarLayout layout({{"a", "one"}, {"b/", ""}, {"c", BlobMember{513}}, {"d", std::string(512, 'd')}});
  const std::string expected = header_of("a", 3) + "one" + zeros(509) + header_of("b/", 0) + header_of("c", 513) +
                               std::string(513, 'c') + zeros(511) + header_of("d", 512) + std::string(512, 'd') +
                               zeros(1024);
  EXPECT_EQ(layout.size_bytes(), expected.size());
  EXPECT_EQ(archive_bytes(layout, {std::string(513, 'c')}), expected);
}

TEST(TarLayout, GivesBlobsByNumberAndLiteralsByBytes) {
  TarLayout layout({{"a", BlobMember{100}}, {"b", BlobMember{200}}});
  std::vector<Slice> slices = layout.slices(510, 1030);
  ASSERT_EQ(slices.size(), 4U);
  EXPECT_EQ(slices[0].bytes.size(), 2U);
  EXPECT_EQ(slices[1].blob, (BlobSlice{0, 0, 100}));
  EXPECT_EQ(slices[2].bytes, zeros(412) + header_of("b", 200));
  EXPECT_EQ(slices[3].blob, (BlobSlice{1, 0, 4}));
}

TEST(TarLayout, NumbersAnEmptyBlobToo) {
  TarLayout layout({{"a", BlobMember{0}}, {"b", BlobMember{7}}});
  EXPECT_EQ(layout.blob_archive_offset(0), 512U);
  EXPECT_EQ(layout.blob_archive_offset(1), 1024U);
  std::vector<Slice> slices = layout.slices(0, kEverything);
  ASSERT_EQ(slices.size(), 3U);
  EXPECT_EQ(slices[1].blob, (BlobSlice{1, 0, 7}));
}

TEST(TarLayout, GivesNoEmptySliceAndNoTwoLiteralsInARow) {
  std::vector<Slice> slices = mixed_layout().slices(0, kEverything);
  for (size_t i = 0; i < slices.size(); ++i) {
    EXPECT_GT(slices[i].length(), 0U) << i;
    if (i > 0) {
      EXPECT_TRUE(slices[i - 1].blob || slices[i].blob) << i;
    }
  }
}

TEST(TarLayout, GivesTheSameBytesInAnyPieces) {
  TarLayout layout = mixed_layout();
  const std::string whole = archive_bytes(layout, kBlobs);
  ASSERT_EQ(whole.size(), layout.size_bytes());
  std::mt19937_64 random(20240101);
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t offset = random() % (whole.size() + 1);
    const uint64_t length = random() % (i % 2 == 0 ? whole.size() : 700);
    ASSERT_EQ(archive_bytes(layout, kBlobs, offset, length), whole.substr(offset, length)) << offset << "+" << length;
  }
}

TEST(TarLayout, GivesEverySingleByte) {
  TarLayout layout = mixed_layout();
  const std::string whole = archive_bytes(layout, kBlobs);
  for (size_t i = 0; i < whole.size(); ++i) {
    ASSERT_EQ(archive_bytes(layout, kBlobs, i, 1), whole.substr(i, 1)) << i;
  }
}

TEST(TarLayout, KeepsItsLiteralsWhenCopiedOrMoved) {
  auto original = std::make_unique<TarLayout>(mixed_layout());
  const std::string whole = archive_bytes(*original, kBlobs);
  TarLayout copy = *original;
  original.reset();
  EXPECT_EQ(archive_bytes(copy, kBlobs), whole);
  TarLayout moved = std::move(copy);
  EXPECT_EQ(archive_bytes(moved, kBlobs), whole);
}

TEST(TarLayout, PlacesBytesBehindALayerOfOneTebibyte) {
  constexpr uint64_t kTebibyte = 1ull << 40;
  TarLayout layout({{"a", BlobMember{kTebibyte}}, {"b", BlobMember{9ull << 30}}, {"c", "end"}});
  EXPECT_EQ(layout.size_bytes(), kTebibyte + (9ull << 30) + 3 * 512 + 512 + 1024);
  EXPECT_EQ(layout.blob_archive_offset(1), kTebibyte + 1024);
  std::vector<Slice> slices = layout.slices(512 + kTebibyte - 1, 2);
  ASSERT_EQ(slices.size(), 2U);
  EXPECT_EQ(slices[0].blob, (BlobSlice{0, kTebibyte - 1, 1}));
  EXPECT_EQ(slices[1].bytes, "b");
}

TEST(TarLayout, HoldsTheLargestArchiveASignedSizeCanSay) {
  const uint64_t largest = (1ull << 63) - 512 - 512 - 1024;  // header and end; the whole ends on a block below 2^63
  TarLayout layout({{"a", BlobMember{largest}}});
  EXPECT_EQ(layout.size_bytes(), (1ull << 63) - 512);
  EXPECT_EQ(layout.slices(512, kEverything).front().blob, (BlobSlice{0, 0, largest}));
}

TEST(TarLayout, IsListedByGnuTarWithLayersOfNineGibibytesAndOneTebibyte) {
  REGFS_SKIP_WITHOUT_GNU_TAR();
  test::TempDir directory;
  TarLayout layout({{"a", BlobMember{9ull << 30}}, {"b", BlobMember{1ull << 40}}, {"c", "end"}});
  if (!write_sparse(directory / "big.tar", layout)) GTEST_SKIP() << "no sparse files of this size here";
  test::CommandOutput list = test::gnu_tar("--numeric-owner -tvf " + (directory / "big.tar"));
  EXPECT_EQ(list.exit_code, 0);
  EXPECT_EQ(list.text,
            "-rw-r--r-- 0/0      9663676416 1970-01-01 00:00 a\n"
            "-rw-r--r-- 0/0   1099511627776 1970-01-01 00:00 b\n"
            "-rw-r--r-- 0/0               3 1970-01-01 00:00 c\n");
}

TEST(TarLayout, IsByteForByteWhatGnuTarWrites) {
  REGFS_SKIP_WITHOUT_GNU_TAR();
  test::TempDir directory;
  test::write_file(directory / "one", "one");
  test::write_file(directory / "empty", "");
  test::write_file(directory / "block", std::string(512, 'b'));
  ASSERT_EQ(::mkdir((directory / "sub").c_str(), 0700), 0);
  test::CommandOutput made = test::gnu_tar(
      "--format=ustar --blocking-factor=1 --no-recursion --mtime=@0 --owner=:0 --group=:0 --numeric-owner "
      "--mode=u=rwX,go=rX -C " +
      directory.path() + " -cf " + directory / "theirs.tar" + " one sub empty block");
  ASSERT_EQ(made.exit_code, 0) << made.text;
  TarLayout ours({{"one", BlobMember{3}}, {"sub/", ""}, {"empty", ""}, {"block", std::string(512, 'b')}});
  EXPECT_EQ(archive_bytes(ours, {"one"}), test::read_file(directory / "theirs.tar"));
}

}  // namespace
}  // namespace regfs::fs::tar_layout_test
