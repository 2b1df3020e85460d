// SPDX-License-Identifier: MIT
#include "registry/platform.h"

#include <gtest/gtest.h>

#include <string>

namespace regfs::registry::platform_test {
namespace {

Platform make(std::string os, std::string architecture, std::string variant = {}, std::string os_version = {}) {
  return {std::move(os), std::move(architecture), std::move(variant), std::move(os_version)};
}

TEST(FileStem, HidesAHostilePart) {
  const std::string hostile[] = {"../../etc",
                                 "a/b",
                                 ".",
                                 "..",
                                 ".hidden",
                                 "-rf",
                                 "a b",
                                 "a\n",
                                 "\x1b[31m",
                                 "\xff",
                                 "a:b",
                                 std::string("a\0b", 3),
                                 std::string(65, 'a'),
                                 "\xe2\x80\xae"};
  for (const std::string& part : hostile) {
    EXPECT_FALSE(file_stem(make(part, "amd64"))) << part;
    EXPECT_FALSE(file_stem(make("linux", part))) << part;
    EXPECT_FALSE(file_stem(make("linux", "amd64", part))) << part;
    EXPECT_FALSE(file_stem(make("windows", "amd64", "", part))) << part;
    EXPECT_FALSE(alternative_stem(make(part, "arm64"))) << part;
  }
}

TEST(FileStem, NeedsAnOsAndAnArchitecture) {
  EXPECT_FALSE(file_stem(make("", "amd64")));
  EXPECT_FALSE(file_stem(make("linux", "")));
  EXPECT_FALSE(file_stem(make("unknown", "unknown")));
  EXPECT_EQ(file_stem(make("linux", "unknown")), "linux-unknown");
}

TEST(FileStem, IsNeverLongerThan200Bytes) {
  const std::string part(64, 'a');
  EXPECT_EQ(file_stem(make("linux", part, part)), "linux-" + part + "-" + part);
  EXPECT_FALSE(file_stem(make("windows", part, part, part))) << "202 bytes";
}

TEST(FileStem, OfADirectoryIsNoArchivesName) {
  EXPECT_FALSE(file_stem(make("linux", "amd64.tar")));
}

TEST(FileStem, JoinsThePartsOfAPlatform) {
  EXPECT_EQ(file_stem(make("linux", "amd64")), "linux-amd64");
  EXPECT_EQ(file_stem(make("linux", "arm", "v7")), "linux-arm-v7");
  EXPECT_EQ(file_stem(make("linux", "arm64", "v8")), "linux-arm64");
  EXPECT_EQ(file_stem(make("linux", "arm64", "v9")), "linux-arm64-v9");
}

TEST(FileStem, CarriesTheOsVersionOfWindowsOnly) {
  EXPECT_EQ(file_stem(make("windows", "amd64", "", "10.0.20348.2849")), "windows-amd64-10.0.20348.2849");
  EXPECT_EQ(file_stem(make("windows", "amd64")), "windows-amd64");
  EXPECT_EQ(file_stem(make("linux", "amd64", "", "6.1")), "linux-amd64");
}

TEST(AlternativeStem, IsTheOtherSpellingOfArm64) {
  EXPECT_EQ(alternative_stem(make("linux", "arm64")), "linux-arm64-v8");
  EXPECT_EQ(alternative_stem(make("linux", "arm64", "v8")), "linux-arm64-v8");
  EXPECT_FALSE(alternative_stem(make("linux", "arm64", "v9")));
  EXPECT_FALSE(alternative_stem(make("linux", "amd64")));
}

TEST(Platform, PrintsWithSlashes) {
  EXPECT_EQ(make("linux", "arm", "v7").str(), "linux/arm/v7");
  EXPECT_EQ(make("linux", "amd64").str(), "linux/amd64");
}

}  // namespace
}  // namespace regfs::registry::platform_test
