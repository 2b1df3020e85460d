// SPDX-License-Identifier: MIT
#include "fs/platform_list.h"

#include <gtest/gtest.h>

#include "base/sha256.h"

namespace regfs::fs::platform_list_test {
namespace {

registry::Descriptor manifest(const std::string& content) {
  return {std::string(registry::kOciManifest), sha256_of(content), content.size(), {}};
}

std::vector<std::string> stems(const PlatformList& list) {
  std::vector<std::string> out;
  for (const PlatformEntry& entry : list.entries()) out.push_back(entry.stem);
  return out;
}

TEST(PlatformList, LeavesOutAPlatformWithoutAFileName) {
  PlatformList list;
  EXPECT_FALSE(list.add({"../../etc", "amd64", "", ""}, manifest("hostile")));
  EXPECT_FALSE(list.add({"unknown", "unknown", "", ""}, manifest("attestation")));
  EXPECT_TRUE(list.add({"linux", "amd64", "", ""}, manifest("good")));
  EXPECT_EQ(stems(list), std::vector<std::string>{"linux-amd64"});
}

TEST(PlatformList, TheFirstOfTwoThatShareANameKeepsIt) {
  PlatformList list;
  list.add({"linux", "amd64", "", ""}, manifest("first"));
  list.add({"linux", "amd64", "", ""}, manifest("second"));
  std::string later = "linux-amd64-" + manifest("second").digest.hex().substr(0, 12);
  EXPECT_EQ(stems(list), (std::vector<std::string>{"linux-amd64", later}));
  EXPECT_EQ(list.find("linux-amd64")->manifest, manifest("first"));
  EXPECT_EQ(list.find(later)->manifest, manifest("second"));
}

TEST(PlatformList, AManifestListedTwiceIsShownOnce) {
  PlatformList list;
  for (int i = 0; i < 3; ++i) list.add({"linux", "amd64", "", ""}, manifest("same"));
  EXPECT_EQ(list.entries().size(), 1u);
}

TEST(PlatformList, BothSpellingsOfArm64FindTheSameImage) {
  PlatformList list;
  list.add({"linux", "arm64", "v8", ""}, manifest("arm64"));
  EXPECT_EQ(stems(list), std::vector<std::string>{"linux-arm64"});
  ASSERT_NE(list.find("linux-arm64-v8"), nullptr);
  EXPECT_EQ(list.find("linux-arm64-v8"), list.find("linux-arm64"));
  EXPECT_EQ(list.find("linux-arm"), nullptr);
}

TEST(PlatformList, AnExactNameGoesBeforeAnotherSpelling) {
  PlatformList list;
  list.add({"linux", "amd64", "", ""}, manifest("amd64"));
  list.add({"windows", "amd64", "", "10.0.20348.1"}, manifest("windows"));
  ASSERT_NE(list.find("windows-amd64-10.0.20348.1"), nullptr);
  EXPECT_EQ(list.find("windows-amd64-10.0.20348.1")->manifest, manifest("windows"));
}

// An index of these, and which of them is chosen: "arm/v6 (stands in)", or "none".
struct Index {
  explicit Index(std::vector<registry::Platform> platforms) {
    for (const auto& platform : platforms) list.add(platform, manifest(std::to_string(list.entries().size())));
  }
  std::string choose(std::string_view wanted) const {
    const PlatformChoice choice = list.choose(*registry::parse_platform(wanted));
    if (!choice.entry) return "none";
    return registry::platform_argument(choice.entry->platform) + (choice.exact ? "" : " (stands in)");
  }
  PlatformList list;
};

TEST(ChoosePlatform, FindsBothSpellingsOfArm64) {
  EXPECT_EQ(Index({{"linux", "amd64", "", ""}, {"linux", "arm64", "v8", ""}}).choose("linux/arm64"), "linux/arm64/v8");
  EXPECT_EQ(Index({{"linux", "amd64", "", ""}, {"linux", "arm64", "", ""}}).choose("linux/arm64/v8"), "linux/arm64");
}

TEST(ChoosePlatform, TakesTheNearestOlderVariantAndSaysSo) {
  const Index index({{"linux", "arm", "v5", ""}, {"linux", "arm", "v6", ""}, {"linux", "amd64", "", ""}});
  EXPECT_EQ(index.choose("linux/arm/v7"), "linux/arm/v6 (stands in)");
  EXPECT_EQ(index.choose("linux/arm/v6"), "linux/arm/v6");
  EXPECT_EQ(index.choose("linux/amd64/v3"), "linux/amd64 (stands in)");
  EXPECT_EQ(Index({{"linux", "arm", "v7", ""}}).choose("linux/arm/v6"), "none") << "a newer one does not run";
}

TEST(ChoosePlatform, HasNoneOfAnotherArchitectureOrSystem) {
  const Index index({{"linux", "386", "", ""}, {"linux", "arm", "v7", ""}, {"windows", "amd64", "", "10.0.1"}});
  EXPECT_EQ(index.choose("linux/amd64"), "none");
  EXPECT_EQ(index.choose("linux/arm64"), "none");
  EXPECT_EQ(Index({}).choose("linux/amd64"), "none");
}

TEST(ChoosePlatform, PrefersTheEntrySpelledAsWanted) {
  const Index index({{"linux", "amd64", "v1", ""}, {"linux", "amd64", "", ""}});
  EXPECT_EQ(index.choose("linux/amd64"), "linux/amd64");
}

TEST(ChoosePlatform, TakesTheFirstWindowsWhenNoVersionIsSaid) {
  const Index index(
      {{"linux", "amd64", "", ""}, {"windows", "amd64", "", "10.0.26100.1"}, {"windows", "amd64", "", "10.0.20348.2"}});
  EXPECT_EQ(index.choose("windows/amd64"), "windows/amd64:10.0.26100.1");
  EXPECT_EQ(index.choose("windows/amd64:10.0.20348.2"), "windows/amd64:10.0.20348.2");
  EXPECT_EQ(index.choose("windows/amd64:10.0.20348"), "windows/amd64:10.0.20348.2");
  EXPECT_EQ(index.choose("windows/amd64:10.0.20348.9"), "windows/amd64:10.0.20348.2 (stands in)");
  EXPECT_EQ(index.choose("windows/amd64:10.0.2034"), "none");
  EXPECT_EQ(index.choose("windows/amd64:10.0.17763"), "none");
}

}  // namespace
}  // namespace regfs::fs::platform_list_test
