// SPDX-License-Identifier: MIT
#include "tools/mount_option_list.h"

#include <gtest/gtest.h>

namespace regfs::mount_option_list_test {
namespace {

using Options = std::vector<MountOption>;

TEST(MountOptionList, SkipsEmptyItems) {
  EXPECT_EQ(parse_mount_option_list(""), Options{});
  EXPECT_EQ(parse_mount_option_list(",,ro,,"), (Options{{"ro", std::nullopt}}));
}

TEST(MountOptionList, TellsAnEmptyValueFromNone) {
  EXPECT_EQ(parse_mount_option_list("comment=,auto"), (Options{{"comment", ""}, {"auto", std::nullopt}}));
}

TEST(MountOptionList, KeepsABackslashThatEscapesNothing) {
  EXPECT_EQ(parse_mount_option_list("a=b\\"), (Options{{"a", "b\\"}}));
}

TEST(MountOptionList, TakesAnEscapedCommaAsPartOfTheValue) {
  EXPECT_EQ(parse_mount_option_list("cache_dir=/a\\,b,ro"), (Options{{"cache-dir", "/a,b"}, {"ro", std::nullopt}}));
}

TEST(MountOptionList, TakesAnEscapedBackslashAsOne) {
  EXPECT_EQ(parse_mount_option_list("a=b\\\\,c"), (Options{{"a", "b\\"}, {"c", std::nullopt}}));
}

TEST(MountOptionList, SplitsAtTheFirstEqualsSignOnly) {
  EXPECT_EQ(parse_mount_option_list("comment=a=b"), (Options{{"comment", "a=b"}}));
}

TEST(MountOptionList, ReadsUnderscoresInNamesAsDashesAndLeavesValuesAlone) {
  EXPECT_EQ(parse_mount_option_list("cache_dir=/my_cache"), parse_mount_option_list("cache-dir=/my_cache"));
  EXPECT_EQ(parse_mount_option_list("cache_dir=/my_cache"), (Options{{"cache-dir", "/my_cache"}}));
}

TEST(MountOptionList, KeepsTheOrderAndTheRepetitions) {
  EXPECT_EQ(parse_mount_option_list("a=1,b,a=2"), (Options{{"a", "1"}, {"b", std::nullopt}, {"a", "2"}}));
}

}  // namespace
}  // namespace regfs::mount_option_list_test
