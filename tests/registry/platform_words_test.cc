// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <sys/utsname.h>

#include <string>
#include <utility>
#include <vector>

#include "registry/platform.h"

namespace regfs::registry::platform_words_test {
namespace {

std::string parsed(std::string_view text) {
  Result<Platform> platform = parse_platform(text);
  return platform ? platform_argument(*platform) : "error: " + platform.error().context();
}

std::vector<std::string> acceptable(std::string_view text) {
  std::vector<std::string> out;
  for (const Platform& platform : acceptable_platforms(*parse_platform(text))) out.push_back(platform.str());
  return out;
}

using Words = std::vector<std::string>;

TEST(ParsePlatform, TakesWhatUsersOfOtherToolsWrite) {
  const std::pair<const char*, const char*> cases[] = {
      {"linux/amd64", "linux/amd64"},     {"linux/arm/v7", "linux/arm/v7"},     {"linux/x86_64", "linux/amd64"},
      {"linux/aarch64", "linux/arm64"},   {"linux/arm64/v8", "linux/arm64"},    {"linux/arm64/8", "linux/arm64"},
      {"linux/amd64/v1", "linux/amd64"},  {"linux/amd64/v3", "linux/amd64/v3"}, {"linux/armhf", "linux/arm/v7"},
      {"linux/armel", "linux/arm/v6"},    {"linux/arm", "linux/arm/v7"},        {"linux/arm/6", "linux/arm/v6"},
      {"linux/i386", "linux/386"},        {"LINUX/ARM64/V8", "linux/arm64"},    {"macos/arm64", "darwin/arm64"},
      {"linux/riscv64", "linux/riscv64"}, {"plan9/newarch", "plan9/newarch"},
  };
  for (const auto& [text, meaning] : cases) EXPECT_EQ(parsed(text), meaning) << text;
}

TEST(ParsePlatform, TakesAnOsVersionBehindAColon) {
  Result<Platform> platform = parse_platform("windows/amd64:10.0.20348.2849");
  ASSERT_TRUE(platform);
  EXPECT_EQ(*platform, (Platform{"windows", "amd64", "", "10.0.20348.2849"}));
  EXPECT_EQ(platform_argument(*platform), "windows/amd64:10.0.20348.2849");
}

TEST(ParsePlatform, RefusesWhatIsNoneAndSaysTheForm) {
  const std::string overlong(65, 'a');
  for (const std::string& text :
       {std::string("banana"), std::string(), std::string("linux/"), std::string("/amd64"), std::string("a/b/c/d"),
        std::string("linux/amd64/"), std::string("linux amd64"), std::string("linux/am d64"), std::string("linux/\x1b"),
        std::string("linux/amd64:"), std::string("windows/amd64:1:2"), std::string("linux/*"), std::string("li\0/b", 5),
        "linux/" + overlong}) {
    Result<Platform> platform = parse_platform(text);
    ASSERT_FALSE(platform) << text;
    EXPECT_TRUE(platform.error().is(Errc::invalid_argument)) << text;
    EXPECT_NE(platform.error().context().find("give OS/ARCH or OS/ARCH/VARIANT, like linux/arm64"), std::string::npos);
    EXPECT_EQ(platform.error().context().find('\x1b'), std::string::npos) << "an escape would reach the terminal";
  }
  EXPECT_EQ(parsed("banana"),
            "error: 'banana' is no platform; give OS/ARCH or OS/ARCH/VARIANT, like linux/arm64 or linux/arm/v7");
}

TEST(ParsePlatform, GuessesWhatWasMeant) {
  const std::pair<const char*, const char*> cases[] = {
      {"arm64", "linux/arm64"},  {"ARM64", "linux/arm64"},  {"x86_64", "linux/amd64"},
      {"armhf", "linux/arm/v7"}, {"arm", "linux/arm"},      {"armv7", "linux/arm/v7"},
      {"linux", "linux/amd64"},  {"linux/", "linux/amd64"}, {"amd64/linux", "linux/amd64"},
  };
  for (const auto& [text, meant] : cases) {
    EXPECT_TRUE(parsed(text).ends_with("; did you mean " + std::string(meant) + "?")) << text << ": " << parsed(text);
  }
}

TEST(AcceptablePlatforms, AreTheOlderVariantsBestFirst) {
  EXPECT_EQ(acceptable("linux/arm/v7"), (Words{"linux/arm/v7", "linux/arm/v6", "linux/arm/v5"}));
  EXPECT_EQ(acceptable("linux/arm"), acceptable("linux/arm/v7"));
  EXPECT_EQ(acceptable("linux/arm/v5"), Words{"linux/arm/v5"});
  EXPECT_EQ(acceptable("linux/amd64/v3"), (Words{"linux/amd64/v3", "linux/amd64/v2", "linux/amd64"}));
  EXPECT_EQ(acceptable("linux/arm64/v9"),
            (Words{"linux/arm64/v9", "linux/arm64/v8.5", "linux/arm64/v8.4", "linux/arm64/v8.3", "linux/arm64/v8.2",
                   "linux/arm64/v8.1", "linux/arm64"}));
  EXPECT_EQ(acceptable("linux/arm64/v8.1"), (Words{"linux/arm64/v8.1", "linux/arm64"}));
}

TEST(AcceptablePlatforms, AreNeverOfAnotherArchitecture) {
  EXPECT_EQ(acceptable("linux/arm64"), Words{"linux/arm64"});
  EXPECT_EQ(acceptable("linux/amd64"), Words{"linux/amd64"});
  EXPECT_EQ(acceptable("linux/s390x"), Words{"linux/s390x"});
}

TEST(AcceptablePlatforms, OfAStrangeVariantAreItselfOnly) {
  EXPECT_EQ(acceptable("linux/amd64/v99999999"), Words{"linux/amd64/v99999999"});
  EXPECT_EQ(acceptable("linux/arm/hard"), Words{"linux/arm/hard"});
}

TEST(AcceptablePlatforms, KeepTheOsVersion) {
  for (const Platform& platform : acceptable_platforms({"windows", "arm", "v7", "10.0.1"})) {
    EXPECT_EQ(platform.os_version, "10.0.1");
  }
}

TEST(PlatformOfMachine, TurnsTheKernelsNameIntoAnImages) {
  const std::pair<const char*, const char*> cases[] = {
      {"x86_64", "linux/amd64"},        {"aarch64", "linux/arm64"},   {"armv7l", "linux/arm/v7"},
      {"armv6l", "linux/arm/v6"},       {"armv5tel", "linux/arm/v5"}, {"i686", "linux/386"},
      {"ppc64le", "linux/ppc64le"},     {"s390x", "linux/s390x"},     {"riscv64", "linux/riscv64"},
      {"loongarch64", "linux/loong64"},
  };
  for (const auto& [machine, platform] : cases) EXPECT_EQ(platform_of_machine(machine).str(), platform);
}

TEST(PlatformOfMachine, IsThisOnesForThisMachine) {
  utsname names{};
  ASSERT_EQ(uname(&names), 0);
  EXPECT_EQ(this_machine(), platform_of_machine(names.machine));
  EXPECT_TRUE(parse_platform(this_machine().str()));
}

}  // namespace
}  // namespace regfs::registry::platform_words_test
