// SPDX-License-Identifier: MIT
#include "cache/layout.h"

#include <gtest/gtest.h>

#include <set>

#include "base/sha256.h"
#include "cache/records.h"

namespace regfs::cache::layout_test {
namespace {

const Digest kDigest = sha256_of("a blob");

TEST(Layout, KnowsNoPartNameThatItWouldNotWrite) {
  std::string hex = kDigest.hex();
  for (const std::string& name : {std::string(), hex, hex + "-", hex + "-x", hex + "-1x", hex + "_1", "A" + hex + "-1",
                                  hex.substr(1) + "-1", hex + "--1", hex + "-99999999999999999999999"}) {
    EXPECT_FALSE(parse_part_name(name)) << name;
  }
}

TEST(Layout, KnowsTheNamesOfParts) {
  Layout layout("/c");
  std::string part = layout.part(kDigest, 42);
  auto file_name = [](const std::string& path) { return path.substr(path.rfind('/') + 1); };
  std::optional<PartName> name = parse_part_name(file_name(part));
  ASSERT_TRUE(name);
  EXPECT_EQ(name->digest, kDigest);
  EXPECT_EQ(name->size_bytes, 42u);
  EXPECT_EQ(name->kind, PartName::Kind::part);
  EXPECT_EQ(parse_part_name(file_name(layout.ranges(part)))->kind, PartName::Kind::ranges);
  EXPECT_EQ(parse_part_name(file_name(layout.spare_part(kDigest, 42, 7, 1)))->kind, PartName::Kind::spare);
}

TEST(Layout, KeepsBlobsWhereAnOciLayoutHasThem) {
  EXPECT_EQ(Layout("/c").blob(kDigest), "/c/blobs/sha256/" + kDigest.hex());
}

TEST(Layout, ReadsTheMarkerItWrites) {
  EXPECT_EQ(parse_marker(marker_text(1)), 1);
  EXPECT_EQ(parse_marker(marker_text(12)), 12);
  for (const char* text : {"", "regfs cache format \n", "regfs cache format 1", "regfs cache format 1x\n", "1\n"}) {
    EXPECT_EQ(parse_marker(text), std::nullopt) << text;
  }
}

TEST(SafeName, NeverLeavesItsDirectory) {
  for (const std::string& text : {std::string("."), std::string(".."), std::string("../../etc/passwd"),
                                  std::string("/abs"), std::string("a\0b", 3), std::string(), std::string("a/../b")}) {
    std::string name = safe_name(text);
    EXPECT_EQ(name.find('/'), std::string::npos) << name;
    EXPECT_EQ(name.find('\0'), std::string::npos) << name;
    EXPECT_FALSE(name.empty() || name.front() == '.') << name;
  }
}

TEST(SafeName, IsReversibleUntilItIsTooLong) {
  for (std::string text : {"docker.io/library/nginx", "localhost:5000/a", "100%", "%41", ".hidden", "UPPER"}) {
    EXPECT_EQ(parse_safe_name(safe_name(text)), text);
  }
  std::string longest(300, 'a');
  EXPECT_LE(safe_name(longest).size(), kLongestSafeName);
  EXPECT_NE(safe_name(longest), safe_name(longest + "a"));
  EXPECT_EQ(parse_safe_name(safe_name(longest)), std::nullopt);
}

TEST(SafeName, KnowsNoNameThatItWouldNotWrite) {
  for (const char* name : {"%2", "%zz", "a/b", ".x", "%2f", "a b"}) EXPECT_EQ(parse_safe_name(name), std::nullopt);
}

TEST(Seal, IsNoneWhenAByteIsOff) {
  std::string text = to_text(Seal{5, -6, 7});
  EXPECT_EQ(parse_seal(text), (Seal{5, -6, 7}));
  for (size_t length = 0; length < text.size(); ++length) EXPECT_FALSE(parse_seal(text.substr(0, length)));
  EXPECT_FALSE(parse_seal(text + "x"));
}

TEST(PartRecord, IsNoneWhenCutShortOrBeyondTheBlob) {
  PartRecord record{100, "boot", false, IntervalSet({0, 10})};
  record.present.add({50, 50});
  std::string text = to_text(record);
  std::optional<PartRecord> read = parse_part_record(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->present, record.present);
  EXPECT_EQ(read->size_bytes, 100u);
  for (size_t length = 0; length < text.size(); ++length) EXPECT_FALSE(parse_part_record(text.substr(0, length)));
  EXPECT_FALSE(parse_part_record("regfs part 1\nsize 100\nboot b\nsynced no\nrange 90 11\nend\n"));
  EXPECT_FALSE(parse_part_record("regfs part 1\nsize 100\nboot b\nsynced no\nrange 18446744073709551615 2\nend\n"));
}

TEST(PartRecord, IsTrustedAfterARestartOnlyIfSynced) {
  EXPECT_TRUE((PartRecord{1, "a", false, {}}.trusted("a")));
  EXPECT_FALSE((PartRecord{1, "a", false, {}}.trusted("b")));
  EXPECT_FALSE((PartRecord{1, "", false, {}}.trusted("")));
  EXPECT_TRUE((PartRecord{1, "a", true, {}}.trusted("b")));
}

}  // namespace
}  // namespace regfs::cache::layout_test
