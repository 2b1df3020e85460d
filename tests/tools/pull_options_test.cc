// SPDX-License-Identifier: MIT
#include "tools/pull_options.h"

#include <gtest/gtest.h>

#include <vector>

namespace regfs::pull_options_test {
namespace {

using Words = std::vector<const char*>;

const Environment kUser{"/home/ann", "", false};

Result<ParsedPull> parse(Words words) {
  words.insert(words.begin(), "regfs-pull");
  return parse_pull_command_line(static_cast<int>(words.size()), words.data(), kUser);
}

PullOptions options_of(Words words) {
  Result<ParsedPull> command = parse(std::move(words));
  if (command) return std::get<PullOptions>(*command);
  ADD_FAILURE() << command.error().context();
  return {};
}

void expect_complaint(Words words, const std::vector<std::string>& parts) {
  Result<ParsedPull> command = parse(std::move(words));
  ASSERT_FALSE(command);
  EXPECT_TRUE(command.error().is(Errc::invalid_argument));
  for (const std::string& part : parts) {
    EXPECT_NE(command.error().context().find(part), std::string::npos) << part << " in: " << command.error().context();
  }
}

TEST(PullOptions, HaveDefaultsThatNeedNoOption) {
  const PullOptions options = options_of({"nginx"});
  ASSERT_EQ(options.images.size(), 1u);
  EXPECT_EQ(options.images[0].str(), "docker.io/library/nginx:latest");
  EXPECT_FALSE(options.platform.has_value());
  EXPECT_EQ(options.output, "");
  EXPECT_FALSE(options.dry_run);
  EXPECT_FALSE(options.quiet);
  EXPECT_FALSE(options.no_cache);
  EXPECT_EQ(options.progress, ProgressStyle::automatic);
  EXPECT_EQ(options.log_level, LogLevel::warning);
  EXPECT_EQ(options.cache_dir, "/home/ann/.cache/regfs");
}

TEST(PullOptions, MayStandBeforeBetweenAndBehindTheImages) {
  const PullOptions options =
      options_of({"--quiet", "nginx", "--platform=linux/arm64", "ghcr.io/acme/api:v1", "--no-cache"});
  ASSERT_EQ(options.images.size(), 2u);
  EXPECT_EQ(options.images[1].str(), "ghcr.io/acme/api:v1");
  EXPECT_TRUE(options.quiet);
  EXPECT_TRUE(options.no_cache);
  ASSERT_TRUE(options.platform.has_value());
  EXPECT_EQ(registry::platform_argument(*options.platform), "linux/arm64");
}

TEST(PullOptions, HaveShortNamesForOutputAndQuiet) {
  EXPECT_EQ(options_of({"-o", "a.tar", "nginx"}).output, "a.tar");
  EXPECT_EQ(options_of({"-o-", "nginx"}).output, "-");
  EXPECT_EQ(options_of({"-o", "-", "nginx"}).output, "-");
  EXPECT_TRUE(options_of({"-q", "nginx"}).quiet);
}

TEST(PullOptions, TakeTheLaterOfTwoValues) {
  EXPECT_EQ(options_of({"-o", "a.tar", "--output=b.tar", "nginx"}).output, "b.tar");
}

TEST(PullOptions, BehindTwoDashesAreImages) {
  expect_complaint({"--", "--quiet"}, {"--quiet"});
  EXPECT_EQ(options_of({"-q", "--", "nginx"}).images.size(), 1u);
}

TEST(PullOptions, KnowFourStylesOfProgress) {
  EXPECT_EQ(options_of({"--progress", "auto", "nginx"}).progress, ProgressStyle::automatic);
  EXPECT_EQ(options_of({"--progress", "plain", "nginx"}).progress, ProgressStyle::plain);
  EXPECT_EQ(options_of({"--progress", "json", "nginx"}).progress, ProgressStyle::json);
  EXPECT_EQ(options_of({"--progress", "none", "nginx"}).progress, ProgressStyle::none);
  expect_complaint({"--progress", "bars", "nginx"}, {"bars", "auto, plain, json or none"});
}

TEST(PullOptions, SayWhatIsMissingOrTooMuch) {
  expect_complaint({}, {"the image is missing", "regfs-pull --help"});
  expect_complaint({"-o", "a.tar", "nginx", "redis"}, {"one file, for one image"});
  expect_complaint({"https://ghcr.io/acme/api"}, {"without a scheme", "ghcr.io/acme/api"});
}

TEST(PullOptions, KnowTheOneRegistryThatALoginIsFor) {
  EXPECT_EQ(options_of({"ghcr.io/a/b", "ghcr.io/a/c:1"}).login_host(), "ghcr.io");
  EXPECT_EQ(options_of({"ghcr.io/a/b", "nginx"}).login_host(), std::nullopt);
  expect_complaint({"--username", "ann", "ghcr.io/a/b", "nginx"}, {"--username is for one registry"});
}

TEST(PullOptions, AreAllInTheHelp) {
  const std::string help = pull_help_text();
  for (const OptionRow& row : pull_option_table()) {
    EXPECT_NE(help.find("--" + std::string(row.name)), std::string::npos) << row.name;
  }
}

}  // namespace
}  // namespace regfs::pull_options_test
