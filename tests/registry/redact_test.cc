// SPDX-License-Identifier: MIT
#include "registry/redact.h"

#include <gtest/gtest.h>

#include <string>

namespace regfs::registry::redact_test {
namespace {

TEST(Utf8, IsNoOtherEncoding) {
  for (const char* text :
       {"\x80", "\xff", "a\xc3", "\xe2\x82", "\xf0\x9f\x90", "\xc3(", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf",
        "\xf0\x80\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80"}) {
    EXPECT_FALSE(is_utf8(text));
  }
}

TEST(Utf8, HasOneToFourBytes) {
  for (const char* text : {"", "a", "\xc2\x80", "ü", "€", "\xf0\x9f\x90\xb3", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(is_utf8(text));
}

TEST(Redact, MarksEachByteThatIsNoUtf8) {
  EXPECT_EQ(redact("a\xff\xfe b\xc3"), "a?? b?");
}

TEST(Redact, IsNothingOfNothing) {
  EXPECT_EQ(redact(""), "");
  EXPECT_EQ(redact(" \r\n\t"), "");
}

TEST(Redact, ShowsAWordThatIsOnlyAQueryAsStars) {
  EXPECT_EQ(redact("to ?sig=x now"), "to *** now");
}

TEST(Redact, KeepsADigestButNotWhatHangsOnIt) {
  const std::string digest = "sha256:" + std::string(60, 'a') + "0123";
  EXPECT_EQ(redact(digest), digest);
  EXPECT_EQ(redact("app@" + digest + ","), "app@" + digest + ",");
  EXPECT_EQ(redact(digest + "0"), "***");
  EXPECT_EQ(redact("sha256:" + std::string(30, 'a') + "0"), "***");
}

}  // namespace
}  // namespace regfs::registry::redact_test
