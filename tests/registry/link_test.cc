// SPDX-License-Identifier: MIT
#include "registry/link.h"

#include <gtest/gtest.h>

#include <string>

namespace regfs::registry::link_test {
namespace {

// The reference; "none" or "broken" in words of its own.
std::string next(const std::vector<std::string>& headers) {
  Result<std::optional<std::string>> found = next_link(headers);
  if (!found) return found.error().is(Errc::bad_response) ? "(broken)" : "(another error)";
  return found->value_or("(none)");
}

TEST(NextLink, IsNoneInNonsense) {
  for (const char* header : {"", ",", "<", "<>", "</a>", "</a>; rel", "</a>; rel=", "</a>; rel=\"",
                             "</a>; rel=\"prev\"", "</a>; rel=nextish", "</a>, rel=next", "</a>; rel=prev; rel=next",
                             "</a>; title=\"; rel=next\"", "/a; rel=prev", "</a; rel=prev"}) {
    EXPECT_EQ(next({header}), "(none)") << header;
  }
  EXPECT_EQ(next({}), "(none)");
}

TEST(NextLink, ThatLeadsNowhereIsAnErrorAndNotTheEndOfAList) {
  for (const char* header : {"<>; rel=next", "</a; rel=next", "/a; rel=\"next\"", "</z>; rel=prev, /a; rel=next"}) {
    EXPECT_EQ(next({header}), "(broken)") << header;
  }
  for (const std::string& bad :
       {std::string("/a\r\nX: y"), std::string("/a\0", 3), std::string("/\x7f"), std::string("/a\t")}) {
    EXPECT_EQ(next({"<" + bad + ">; rel=\"next\""}), "(broken)") << bad;
  }
  EXPECT_EQ(next({"</b>; rel=prev", "/a; rel=next"}), "(broken)");
}

TEST(NextLink, ThatLeadsNowhereIsToldWithoutItsQuery) {
  for (const char* header : {"/v2/a/tags/list?sig=hunter2; rel=next", "</v2/a/tags/list?sig=\t hunter2>; rel=next"}) {
    Result<std::optional<std::string>> found = next_link({header});
    ASSERT_FALSE(found) << header;
    EXPECT_EQ(found.error().context().find("hunter2"), std::string::npos) << found.error().context();
    EXPECT_NE(found.error().context().find("/v2/a/tags/list"), std::string::npos) << found.error().context();
  }
}

TEST(NextLink, MayHaveBlanksInIt) {
  EXPECT_EQ(next({"</v2/a/tags/list?n=1&last=a b>; rel=\"next\""}), "/v2/a/tags/list?n=1&last=a%20b");
}

TEST(NextLink, EndsHoweverLongTheHeader) {
  std::string header;
  for (int i = 0; i < 100'000; ++i) header += "<a>;rel=prev,";
  EXPECT_EQ(next({header + "<b>;rel=next"}), "b");
}

TEST(NextLink, StaysAsItStands) {
  EXPECT_EQ(next({R"(</v2/_catalog?last=a%2Ftwo&n=2>; rel="next")"}), "/v2/_catalog?last=a%2Ftwo&n=2");
  EXPECT_EQ(next({R"(<https://123.dkr.ecr/v2/a/tags/list?last=A+b/c==>; rel="next")"}),
            "https://123.dkr.ecr/v2/a/tags/list?last=A+b/c==");
  EXPECT_EQ(next({R"(</v2/_catalog?last=contoso&n=2&orderby=>; rel="next")"}),
            "/v2/_catalog?last=contoso&n=2&orderby=");
}

TEST(NextLink, AcceptsEverySpellingOfRel) {
  for (const char* header :
       {"</a>;rel=next", "</a> ; REL = \"NEXT\"", "</a>; title=\"x, <y>; rel=prev\"; rel=\"last next\"",
        "</z>; rel=prev, </a>; rel=next", "</z>;rel=\"prev\",</a>;rel=\"next\";n=5", "</a>; foo; rel=next",
        "</a>; title=\"q\\\"\"; rel=next"}) {
    EXPECT_EQ(next({header}), "/a") << header;
  }
}

TEST(NextLink, StandsInAnyOfSeveralHeaders) {
  EXPECT_EQ(next({"</z>; rel=prev", "</a?x=1,2>; rel=next", "</b>; rel=next"}), "/a?x=1,2");
}

}  // namespace
}  // namespace regfs::registry::link_test
