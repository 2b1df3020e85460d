// SPDX-License-Identifier: MIT
// Hostile archives: whatever stands in a header, nothing outside of the archive is named and nothing is believed
// that is not there.
#include "tools/tar_index.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "tests/support/tar_builder.h"

namespace regfs::tar_index_test {
namespace {

using test::TarBuilder;

Result<TarIndex> index_of(const std::string& bytes) {
  return read_tar_index(bytes.size(), [&](uint64_t offset, std::span<std::byte> out) -> Result<void> {
    EXPECT_LE(offset + out.size(), bytes.size());
    std::memcpy(out.data(), bytes.data() + offset, out.size());
    return {};
  });
}

void expect_refusal(const std::string& bytes, const std::string& words) {
  Result<TarIndex> index = index_of(bytes);
  ASSERT_FALSE(index) << words;
  EXPECT_TRUE(index.error().is(Errc::malformed)) << words;
  EXPECT_NE(index.error().context().find(words), std::string::npos) << words << " in: " << index.error().context();
}

std::string text_of(const std::string& bytes, const TarEntry& entry) {
  return bytes.substr(entry.offset, entry.size_bytes);
}

TEST(TarIndex, RefusesNamesThatLeadOut) {
  for (const char* name : {"../evil", "a/../../evil", "/etc/passwd", "a/..", ".."}) {
    expect_refusal(TarBuilder().file(name, "x").bytes(), "leads out of the archive");
    expect_refusal(TarBuilder().header(name, '2', 0).bytes(), "leads out of the archive");
    expect_refusal(TarBuilder().pax("path", name).file("good", "x").bytes(), "leads out of the archive");
  }
  expect_refusal(TarBuilder().pax("path", std::string("a\0b", 3)).file("good", "x").bytes(),
                 "leads out of the archive");
}

TEST(TarIndex, RefusesWhatIsTruncated) {
  const std::string whole = TarBuilder().file("a", std::string(1000, 'a')).file("b", "b").bytes();
  for (size_t length = 0; length + 512 < whole.size(); length += 100) {
    Result<TarIndex> index = index_of(whole.substr(0, length));
    ASSERT_FALSE(index) << length;
    EXPECT_TRUE(index.error().is(Errc::malformed)) << length;
  }
  expect_refusal(TarBuilder().file("a", "a").without_end(), "truncated");
  expect_refusal(TarBuilder().header("a", '0', 5000).bytes(), "truncated: 'a' has 5000 bytes");
}

TEST(TarIndex, RefusesSizesBeyondAllBounds) {
  for (const uint64_t size : {uint64_t{1} << 40, (uint64_t{1} << 62) - 1}) {
    expect_refusal(TarBuilder().header("a", '0', size).bytes(), "truncated");
  }
  std::string block = test::ustar_header("a", 0);
  for (const std::string& field :
       {std::string(12, '\xff'), "\x80" + std::string(11, '\xff'), std::string("99999999999")}) {
    block.replace(124, field.size(), field);
    expect_refusal(TarBuilder().raw(TarBuilder::with_checksum(block)).bytes(), "is no number");
  }
  expect_refusal(TarBuilder().pax("size", "18446744073709551615").file("a", "x").bytes(), "truncated");
  expect_refusal(TarBuilder().pax("size", "18446744073709551616").file("a", "x").bytes(), "is no number");
  expect_refusal(TarBuilder().pax("size", "-1").file("a", "x").bytes(), "is no number");
  expect_refusal(TarBuilder().member("long", 'L', std::string(kLongestTarName + 1, 'a')).bytes(), "longer than");
  expect_refusal(TarBuilder().header("pax", 'x', kLongestPaxHeader + 1).bytes(), "longer than");
}

TEST(TarIndex, RefusesWhatIsNoTarAndSaysHowToUncompressIt) {
  expect_refusal("", "is no tar archive");
  expect_refusal(std::string(5000, 'x'), "is no tar archive");
  expect_refusal("\x1f\x8b" + std::string(5000, 'x'), "with gunzip");
  expect_refusal("\x28\xb5\x2f\xfd" + std::string(5000, 'x'), "with unzstd");
  expect_refusal(TarBuilder().file("a", "a").raw(std::string(512, 'x')).bytes(), "is damaged");
}

TEST(TarIndex, RefusesDevicesSparseFilesAndBrokenHeadersOfPax) {
  for (const char type : {'3', '4', '6', 'Z'}) expect_refusal(TarBuilder().header("a", type, 0).bytes(), "is neither");
  expect_refusal(TarBuilder().member("a", 'S', "x").bytes(), "sparse");
  expect_refusal(TarBuilder().pax("GNU.sparse.major", "1").file("a", "x").bytes(), "sparse");
  expect_refusal(TarBuilder().member("a", '2', "x").bytes(), "a link with bytes");
  for (const char* record : {"99 path=a\n", "0 path=a\n", "path=a\n", "10 path=abc", "9 path a\n"}) {
    expect_refusal(TarBuilder().member("pax", 'x', record).file("a", "x").bytes(), "pax");
  }
  expect_refusal(TarBuilder().member("pax", 'g', "10 path=a\n").file("a", "x").bytes(), "one name");
  expect_refusal(TarBuilder().pax("path", "a").bytes(), "ends behind");
}

TEST(TarIndex, FindsFilesByTheirNamesFromTheRoot) {
  const std::string bytes = TarBuilder()
                                .header("./", '5', 0)
                                .file("./index.json", "{}")
                                .header("blobs/", '5', 0)
                                .file("blobs//sha256/./x", std::string(513, 'x'))
                                .file("empty", "")
                                .header("link", '2', 0)
                                .file("index.json.old", "1")
                                .file("index.json.old", "22")
                                .bytes();
  Result<TarIndex> index = index_of(bytes);
  ASSERT_TRUE(index) << index.error().context();
  EXPECT_EQ(index->size(), 5u);
  EXPECT_EQ(text_of(bytes, index->at("index.json")), "{}");
  EXPECT_EQ(text_of(bytes, index->at("blobs/sha256/x")), std::string(513, 'x'));
  EXPECT_EQ(index->at("empty").size_bytes, 0u);
  EXPECT_TRUE(index->at("link").link);
  EXPECT_EQ(text_of(bytes, index->at("index.json.old")), "22") << "the last one holds";
}

TEST(TarIndex, KnowsLongNamesOfPaxOfGnuAndOfUstar) {
  const std::string name = std::string(150, 'a') + "/" + std::string(150, 'b');
  std::string prefixed = test::ustar_header("file", 1);
  prefixed.replace(345, 6, "folder");
  const std::string bytes = TarBuilder()
                                .pax("path", name + "1")
                                .file("short", "1")
                                .member("././@LongLink", 'L', name + "2" + std::string(1, '\0'))
                                .file("short", "2")
                                .raw(TarBuilder::with_checksum(prefixed))
                                .raw("3" + std::string(511, '\0'))
                                .file("plain", "4")
                                .bytes();
  Result<TarIndex> index = index_of(bytes);
  ASSERT_TRUE(index) << index.error().context();
  EXPECT_EQ(text_of(bytes, index->at(name + "1")), "1");
  EXPECT_EQ(text_of(bytes, index->at(name + "2")), "2");
  EXPECT_EQ(text_of(bytes, index->at("folder/file")), "3");
  EXPECT_EQ(text_of(bytes, index->at("plain")), "4") << "a long name is for one member";
  EXPECT_EQ(index->size(), 4u);
}

TEST(TarIndex, KnowsSizesOfPax) {
  const std::string content(600, 'c');
  TarBuilder builder;
  builder.pax("size", "600").header("a", '0', 0).raw(content + std::string(424, '\0')).file("b", "b");
  Result<TarIndex> index = index_of(builder.bytes());
  ASSERT_TRUE(index) << index.error().context();
  EXPECT_EQ(text_of(builder.bytes(), index->at("a")), content);
  EXPECT_TRUE(index->contains("b"));
}

// Never reads outside of the archive (index_of() looks), and never crashes.
TEST(TarIndex, HoldsWhateverIsInTheBlocks) {
  const std::string good =
      TarBuilder().pax("path", "a/b").file("x", std::string(700, 'x')).header("d/", '5', 0).bytes();
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    const size_t block = random() % (bytes.size() / 512) * 512;
    for (int change = 0; change < 3; ++change) bytes[block + random() % 512] = static_cast<char>(random());
    const std::string fixed = TarBuilder::with_checksum(bytes.substr(block, 512));
    if (random() % 4 != 0) bytes.replace(block, 512, fixed);
    Result<TarIndex> index = index_of(bytes);
    if (!index) continue;
    for (const auto& [name, entry] : *index) ASSERT_LE(entry.offset + entry.size_bytes, bytes.size());
  }
}

}  // namespace
}  // namespace regfs::tar_index_test
