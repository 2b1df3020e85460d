// SPDX-License-Identifier: MIT
#include "registry/text.h"

#include <gtest/gtest.h>

#include <string>

namespace regfs::registry::text_test {
namespace {

TEST(InQuotes, EscapesControlCharacters) {
  EXPECT_EQ(in_quotes("a\x1b[31m\n"), "'a\\x1b[31m\\x0a'");
}

TEST(InQuotes, CutsLongTextAndSaysSo) {
  EXPECT_EQ(in_quotes(std::string(kMaxQuotedBytes, 'a')), "'" + std::string(kMaxQuotedBytes, 'a') + "'");
  EXPECT_EQ(in_quotes(std::string(kMaxQuotedBytes + 1, 'a')), "'" + std::string(kMaxQuotedBytes, 'a') + "…'");
}

TEST(PrefixOf, DoesNotCutACharacter) {
  EXPECT_EQ(prefix_of("aü", 2), "a");
  EXPECT_EQ(prefix_of("aü", 3), "aü");
  EXPECT_EQ(prefix_of("a\xF0\x9F\x90\xB3z", 4), "a");
  EXPECT_EQ(prefix_of("ü", 0), "");
}

TEST(PrefixOf, CutsWhatIsNoUtf8Anywhere) {
  EXPECT_EQ(prefix_of(std::string(10, '\x80'), 6).size(), 6u);
  EXPECT_EQ(prefix_of("a" + std::string(10, '\x80'), 8).size(), 8u);
}

TEST(Trim, TakesBlanksOffBothEnds) {
  EXPECT_EQ(trim(" \ta b\t "), "a b");
  EXPECT_EQ(trim(" \t"), "");
  EXPECT_EQ(trim(""), "");
}

TEST(EqualIgnoringCase, ComparesAsciiLettersOnly) {
  EXPECT_TRUE(equal_ignoring_case("Bearer", "bEARER"));
  EXPECT_FALSE(equal_ignoring_case("bearer", "beare"));
  EXPECT_FALSE(equal_ignoring_case("@[", "`{")) << "their bytes differ like those of letters";
  EXPECT_EQ(to_lower("Ä-Z_@["), "Ä-z_@[");
}

}  // namespace
}  // namespace regfs::registry::text_test
