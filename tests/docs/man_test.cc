// SPDX-License-Identifier: MIT
// The manual says what the program does: options and error codes are read from the same tables.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "fs/errno_map.h"
#include "tools/cache_options.h"
#include "tools/exit_code.h"
#include "tools/mount_option_table.h"
#include "tools/pull_options.h"

namespace regfs::man_test {
namespace {

const char* const kManual = REGFS_SOURCE_DIR "/man/regfs.1";
const char* const kPullManual = REGFS_SOURCE_DIR "/man/regfs-pull.1";
const char* const kCacheManual = REGFS_SOURCE_DIR "/man/regfs-cache.1";

using Lines = std::vector<std::string>;

// The lines of one section of the manual, without its heading.
Lines section(const std::string& name, const char* manual = kManual) {
  std::ifstream file(manual);
  Lines lines;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(".Sh ")) {
      inside = line.substr(4) == name;
    } else if (inside) {
      lines.push_back(line);
    }
  }
  return lines;
}

bool contains(const Lines& lines, const std::string& wanted) {
  return std::find(lines.begin(), lines.end(), wanted) != lines.end();
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  return {std::istream_iterator<std::string>(stream), {}};
}

// As the manual writes an option: ".It Fl f , Fl Fl foreground", ".It Fl Fl tag-ttl Ar TIME".
std::string item_of(const OptionRow& row) {
  std::string item = ".It";
  if (row.letter != '\0') item += std::string(" Fl ") + row.letter;
  if (row.letter != '\0' && !row.name.empty()) item += " ,";
  if (!row.name.empty()) item += " Fl Fl " + std::string(row.name);
  if (!row.value.empty()) item += " Ar " + std::string(row.value);
  return item;
}

struct Program {
  const char* name;
  const char* manual;
  const OptionTable& (*options)();
};

class ManualOf : public testing::TestWithParam<Program> {};

TEST_P(ManualOf, DescribesEveryOption) {
  const Lines lines = section("OPTIONS", GetParam().manual);
  for (const OptionRow& row : GetParam().options()) EXPECT_TRUE(contains(lines, item_of(row))) << item_of(row);
}

TEST_P(ManualOf, DescribesNoOptionThatDoesNotExist) {
  std::set<std::string> items;
  for (const OptionRow& row : GetParam().options()) items.insert(item_of(row));
  for (const std::string& line : section("OPTIONS", GetParam().manual)) {
    if (!line.starts_with(".It")) continue;
    EXPECT_TRUE(items.contains(line)) << line;
  }
}

INSTANTIATE_TEST_SUITE_P(Programs, ManualOf,
                         testing::Values(Program{"Regfs", kManual, mount_option_table},
                                         Program{"RegfsPull", kPullManual, pull_option_table},
                                         Program{"RegfsCache", kCacheManual, cache_option_table}),
                         [](const auto& program) { return program.param.name; });

TEST(Manual, ListsEveryExitStatusOfThePuller) {
  const Lines lines = section("EXIT STATUS", kPullManual);
  for (int code = static_cast<int>(Errc::not_found); code <= static_cast<int>(Errc::shutting_down); ++code) {
    const int status = exit_code(Error(static_cast<Errc>(code), ""));
    EXPECT_TRUE(contains(lines, ".It " + std::to_string(status))) << status;
  }
  for (int status : {kUsage, kCannotCreate, kDiskFailure}) {
    EXPECT_TRUE(contains(lines, ".It " + std::to_string(status))) << status;
  }
}

TEST(Manual, ListsTheExitStatusesOfTheCacheTool) {
  const Lines lines = section("EXIT STATUS", kCacheManual);
  for (int status : {0, kUsage, kBadData, kNotFound, kInternal, kDiskFailure, kTryLater}) {
    EXPECT_TRUE(contains(lines, ".It " + std::to_string(status))) << status;
  }
}

TEST(Manual, DescribesEveryCommandOfTheCacheTool) {
  const Lines lines = section("DESCRIPTION", kCacheManual);
  for (const char* item : {"list", "stats", "verify", "gc", "import Ar FILE | DIR", "path Op Ar DIGEST"}) {
    EXPECT_TRUE(contains(lines, ".It Cm " + std::string(item))) << item;
  }
}

TEST(Manual, NamesOnlyIgnoredMountOptionsThatAreIgnored) {
  size_t count = 0;
  for (const std::string& line : section("OPTIONS")) {
    if (!line.starts_with(".Cm ") || line.find("error") != std::string::npos || line == ".Cm debug ;") continue;
    for (std::string word : words_of(line.substr(4))) {
      std::replace(word.begin(), word.end(), '_', '-');
      if (word == "," || word == "." || word == "=" || word == "Ns" || word == "Ar" || word == "text" || word == "info")
        continue;
      EXPECT_TRUE(is_ignored_mount_option(word)) << word;
      ++count;
    }
  }
  EXPECT_GE(count, 20u);
}

TEST(Manual, ExplainsTheErrnoOfEveryError) {
  const Lines lines = section("ERRORS");
  for (int code = static_cast<int>(Errc::not_found); code <= static_cast<int>(Errc::shutting_down); ++code) {
    const char* name = strerrorname_np(fs::to_errno(Error(static_cast<Errc>(code), "")));
    ASSERT_NE(name, nullptr);
    EXPECT_TRUE(contains(lines, ".It Bq Er " + std::string(name))) << name;
  }
  for (const char* name : {"ENOSPC", "EROFS"}) {
    EXPECT_TRUE(contains(lines, ".It Bq Er " + std::string(name))) << name;
  }
}

TEST_P(ManualOf, IsCleanMdoc) {
  if (std::system("command -v mandoc > /dev/null 2>&1") != 0) GTEST_SKIP() << "mandoc is not installed";
  const std::string command = "mandoc -T lint -W warning '" + std::string(GetParam().manual) + "' 2> /dev/null";
  FILE* lint = popen(command.c_str(), "r");
  ASSERT_NE(lint, nullptr);
  char line[1024];
  while (fgets(line, sizeof(line), lint) != nullptr) {
    // A filesystem has error codes, in whatever section its manual stands.
    if (strstr(line, "unexpected section: Sh ERRORS") == nullptr) ADD_FAILURE() << line;
  }
  pclose(lint);
}

}  // namespace
}  // namespace regfs::man_test
