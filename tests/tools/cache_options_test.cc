// SPDX-License-Identifier: MIT
#include "tools/cache_options.h"

#include <gtest/gtest.h>

#include <vector>

namespace regfs::cache_options_test {
namespace {

using Words = std::vector<const char*>;

const Environment kUser{"/home/ann", "", false};
const std::string kHex = "4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1";

Result<ParsedCacheCommand> parse(Words words) {
  words.insert(words.begin(), "regfs-cache");
  return parse_cache_command_line(static_cast<int>(words.size()), words.data(), kUser);
}

CacheOptions options_of(Words words) {
  Result<ParsedCacheCommand> command = parse(std::move(words));
  if (command) return std::get<CacheOptions>(*command);
  ADD_FAILURE() << command.error().context();
  return {};
}

void expect_complaint(Words words, const std::vector<std::string>& parts) {
  Result<ParsedCacheCommand> command = parse(std::move(words));
  ASSERT_FALSE(command);
  EXPECT_TRUE(command.error().is(Errc::invalid_argument));
  for (const std::string& part : parts) {
    EXPECT_NE(command.error().context().find(part), std::string::npos) << part << " in: " << command.error().context();
  }
}

TEST(CacheOptions, SayWhichWordIsWrong) {
  expect_complaint({}, {"a command is missing", "list", "--help"});
  expect_complaint({"lsit"}, {"unknown command 'lsit'", "list"});
  expect_complaint({"list", "more"}, {"'more' is one word too many"});
  expect_complaint({"path", kHex.c_str(), "more"}, {"'more'", "path [DIGEST]"});
  expect_complaint({"path", "nginx"}, {"'nginx' is no digest"});
  expect_complaint({"path", "sha512:00"}, {"is no digest"});
  expect_complaint({"--cache-dri", "list"}, {"--cache-dri", "did you mean --cache-dir"});
}

TEST(CacheOptions, HaveTheCacheDirectoryOfTheOtherPrograms) {
  const CacheOptions options = options_of({"list"});
  EXPECT_EQ(options.cache_dir, "/home/ann/.cache/regfs");
  EXPECT_FALSE(options.json);
  EXPECT_EQ(options_of({"list", "--cache-dir", "here"}).cache_dir, "here");
}

TEST(CacheOptions, MayStandBeforeAndBehindTheCommand) {
  EXPECT_TRUE(options_of({"--json", "stats"}).json);
  EXPECT_TRUE(options_of({"stats", "--json"}).json);
  EXPECT_EQ(options_of({"stats"}).command, CacheCommand::stats);
}

TEST(CacheOptions, TakeADigestWithItsAlgorithmOrWithout) {
  const std::string full = "sha256:" + kHex;
  EXPECT_EQ(options_of({"path", full.c_str()}).digest->str(), full);
  EXPECT_EQ(options_of({"path", kHex.c_str()}).digest->str(), full);
  EXPECT_EQ(options_of({"path"}).digest, std::nullopt);
}

TEST(CacheOptions, TakeOneThingToImport) {
  EXPECT_EQ(options_of({"import", "a.tar"}).source, "a.tar");
  EXPECT_EQ(options_of({"import", "--", "-a.tar"}).source, "-a.tar");
  expect_complaint({"import"}, {"what to import is missing"});
  expect_complaint({"import", ""}, {"what to import is missing"});
  expect_complaint({"import", "a.tar", "b.tar"}, {"'b.tar' is one word too many"});
}

TEST(CacheOptions, OfOneCommandAreNotForAnother) {
  EXPECT_TRUE(options_of({"verify", "--repair"}).repair);
  EXPECT_EQ(options_of({"gc"}).to_bytes, std::nullopt);
  EXPECT_EQ(options_of({"gc", "--to", "5G"}).to_bytes, 5ull << 30);
  EXPECT_EQ(options_of({"gc", "--to=0"}).to_bytes, 0u);
  expect_complaint({"list", "--repair"}, {"--repair is for verify"});
  expect_complaint({"verify", "--to", "5G"}, {"--to is for gc"});
  expect_complaint({"gc", "--to", "half"}, {"--to", "'half' is no size"});
  expect_complaint({"gc", "--to", "-1"}, {"'-1' is no size"});
}

TEST(CacheOptions, AreAllInTheHelp) {
  const std::string help = cache_help_text();
  for (const OptionRow& row : cache_option_table()) {
    EXPECT_NE(help.find("--" + std::string(row.name)), std::string::npos) << row.name;
  }
  for (const char* command : {"list", "stats", "path", "verify", "gc", "import"})
    EXPECT_NE(help.find(command), std::string::npos) << command;
}

}  // namespace
}  // namespace regfs::cache_options_test
