// SPDX-License-Identifier: MIT
#include "base/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <string>

namespace regfs::error_test {
namespace {

TEST(Error, KeepsAnErrnoUntouched) {
  Error error = Error::from_errno(ENOSPC, "writing a layer");
  EXPECT_EQ(error.code(), std::errc::no_space_on_device);
  EXPECT_EQ(error.code().value(), ENOSPC);
  EXPECT_TRUE(error.context().starts_with("writing a layer: "));
}

TEST(Error, OfAnErrnoIsNoneOfTheClosedList) {
  // Both lists have small numbers: the category tells them apart.
  Error error = Error::from_errno(static_cast<int>(Errc::not_found), "x");
  EXPECT_FALSE(error.is(Errc::not_found));
}

TEST(Error, GrowsInFrontAndKeepsItsCode) {
  Error error = Error{Errc::rate_limited, "429"}.while_doing("GET x").while_doing("reading nginx");
  EXPECT_EQ(error.context(), "reading nginx: GET x: 429");
  EXPECT_TRUE(error.is(Errc::rate_limited));
}

TEST(Error, HasAWordOfItsOwnForEachCode) {
  std::set<std::string> words;
  for (int value = 1; value <= static_cast<int>(Errc::shutting_down); ++value) {
    std::string word = regfs_category().message(value);
    EXPECT_NE(word, "unknown error") << value;
    EXPECT_TRUE(words.insert(word).second) << word;
  }
  EXPECT_EQ(regfs_category().message(0), "unknown error");
}

TEST(Error, CodeIsAnErrorCodeOfTheStandardLibrary) {
  std::error_code code = Errc::not_found;
  EXPECT_STREQ(code.category().name(), "regfs");
  EXPECT_EQ(code.message(), "not found");
}

}  // namespace
}  // namespace regfs::error_test
