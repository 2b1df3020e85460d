// SPDX-License-Identifier: MIT
#include "fs/tar_header.h"

#include <gtest/gtest.h>

#include <string>

namespace regfs::fs::tar_header_test {
namespace {

std::string field(const TarHeader& header, size_t offset, size_t length) {
  return std::string(header.data() + offset, length);
}

std::string with_nul(std::string text) {
  text.push_back('\0');
  return text;
}

std::string size_field(uint64_t size_bytes) {
  return field(tar_header("a", size_bytes), 124, 12);
}

uint64_t sum_with_blank_checksum(const TarHeader& header) {
  uint64_t sum = 0;
  for (size_t i = 0; i < header.size(); ++i) {
    sum += i >= 148 && i < 156 ? uint64_t{' '} : static_cast<unsigned char>(header[i]);
  }
  return sum;
}

TEST(TarHeaderDeathTest, RefusesANameThatDoesNotFit) {
  EXPECT_DEATH(tar_header(std::string(101, 'n'), 0), "1 to 100 bytes");
  EXPECT_DEATH(tar_header("", 0), "1 to 100 bytes");
}

TEST(TarHeaderDeathTest, RefusesANameWithANul) {
  EXPECT_DEATH(tar_header(std::string_view("a\0b", 3), 0), "no NUL");
}

TEST(TarHeaderDeathTest, RefusesADirectoryWithBytes) {
  EXPECT_DEATH(tar_header("blobs/", 1), "has no bytes");
}

TEST(TarHeader, FillsTheNameFieldToItsEnd) {
  const std::string name(kMaxTarNameBytes, 'n');
  TarHeader header = tar_header(name, 0);
  EXPECT_EQ(field(header, 0, 100), name);
  EXPECT_EQ(field(header, 100, 8), with_nul("0000644"));
}

TEST(TarHeader, OfAFileHasModeTypeAndSize) {
  TarHeader header = tar_header("index.json", 1234);
  EXPECT_EQ(field(header, 0, 11), with_nul("index.json"));
  EXPECT_EQ(field(header, 100, 8), with_nul("0000644"));
  EXPECT_EQ(field(header, 124, 12), with_nul("00000002322"));
  EXPECT_EQ(header[156], '0');
}

TEST(TarHeader, OfADirectoryHasItsOwnModeAndType) {
  TarHeader header = tar_header("blobs/", 0);
  EXPECT_EQ(field(header, 0, 7), with_nul("blobs/"));
  EXPECT_EQ(field(header, 100, 8), with_nul("0000755"));
  EXPECT_EQ(field(header, 124, 12), with_nul("00000000000"));
  EXPECT_EQ(header[156], '5');
}

TEST(TarHeader, SaysNothingOfOwnersTimesOrLinks) {
  TarHeader header = tar_header("a", 1);
  EXPECT_EQ(field(header, 108, 8), with_nul("0000000"));       // uid
  EXPECT_EQ(field(header, 116, 8), with_nul("0000000"));       // gid
  EXPECT_EQ(field(header, 136, 12), with_nul("00000000000"));  // mtime
  EXPECT_EQ(field(header, 157, 100), std::string(100, '\0'));  // linkname
  EXPECT_EQ(field(header, 257, 8), with_nul("ustar") + "00");  // magic and version
  EXPECT_EQ(field(header, 265, 64), std::string(64, '\0'));    // uname and gname
  EXPECT_EQ(field(header, 345, 167), std::string(167, '\0'));  // prefix and rest
}

TEST(TarHeader, WritesSizesBelowEightGibibytesInOctal) {
  EXPECT_EQ(size_field(0), with_nul("00000000000"));
  EXPECT_EQ(size_field(kMaxOctalSizeBytes), with_nul("77777777777"));
}

TEST(TarHeader, WritesSizesFromEightGibibytesOnInBase256) {
  EXPECT_EQ(size_field(8ull << 30), std::string("\x80\0\0\0\0\0\0\x02\0\0\0\0", 12));
  EXPECT_EQ(size_field(0x0123456789abcdef), std::string("\x80\0\0\0\x01\x23\x45\x67\x89\xab\xcd\xef", 12));
}

TEST(TarHeader, SumsItsBytesAsUnsigned) {
  for (uint64_t size : {uint64_t{0}, uint64_t{511}, uint64_t{9} << 30, uint64_t{0x00ffffffffffffff}}) {
    TarHeader header = tar_header("blobs/sha256/0f", size);
    const std::string sum = field(header, 148, 8);
    EXPECT_EQ(std::stoull(sum.substr(0, 6), nullptr, 8), sum_with_blank_checksum(header)) << size;
    EXPECT_EQ(sum.substr(6), with_nul("") + " ");
  }
}

}  // namespace
}  // namespace regfs::fs::tar_header_test
