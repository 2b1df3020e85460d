// SPDX-License-Identifier: MIT
#include "registry/link.h"

#include <gtest/gtest.h>

#include <string>

namespace regfs::registry {
namespace {

TEST(NextLink, IsNoneInNonsense) {
  for (const char* header : {"", ",", "<", "<>", "<>; rel=next", "</a; rel=next", "/a; rel=\"next\"", "</a>",
                             "</a>; rel", "</a>; rel=", "</a>; rel=\"", "</a>; rel=\"prev\"", "</a>; rel=nextish",
                             "</a>, rel=next", "</a>; rel=prev; rel=next", "</a>; title=\"; rel=next\""}) {
    EXPECT_EQ(next_link({header}), std::nullopt) << header;
  }
  EXPECT_EQ(next_link({}), std::nullopt);
}

TEST(NextLink, IsNoneWithControlCharactersOrWhiteSpace) {
  for (const std::string& bad : {std::string("/a b"), std::string("/a\r\nX: y"), std::string("/a\0", 3),
                                 std::string("/\x7f"), std::string("/a\t")}) {
    EXPECT_EQ(next_link({"<" + bad + ">; rel=\"next\""}), std::nullopt);
  }
}

TEST(NextLink, EndsHoweverLongTheHeader) {
  std::string header;
  for (int i = 0; i < 100'000; ++i) header += "<a>;rel=prev,";
  EXPECT_EQ(next_link({header + "<b>;rel=next"}), "b");
}

TEST(NextLink, StaysAsItStands) {
  EXPECT_EQ(next_link({R"(</v2/_catalog?last=a%2Ftwo&n=2>; rel="next")"}), "/v2/_catalog?last=a%2Ftwo&n=2");
  EXPECT_EQ(next_link({R"(<https://123.dkr.ecr/v2/a/tags/list?last=A+b/c==>; rel="next")"}),
            "https://123.dkr.ecr/v2/a/tags/list?last=A+b/c==");
  EXPECT_EQ(next_link({R"(</v2/_catalog?last=contoso&n=2&orderby=>; rel="next")"}),
            "/v2/_catalog?last=contoso&n=2&orderby=");
}

TEST(NextLink, AcceptsEverySpellingOfRel) {
  for (const char* header :
       {"</a>;rel=next", "</a> ; REL = \"NEXT\"", "</a>; title=\"x, <y>; rel=prev\"; rel=\"last next\"",
        "</z>; rel=prev, </a>; rel=next", "</z>;rel=\"prev\",</a>;rel=\"next\";n=5", "</a>; foo; rel=next",
        "</a>; title=\"q\\\"\"; rel=next"}) {
    EXPECT_EQ(next_link({header}), "/a") << header;
  }
}

TEST(NextLink, StandsInAnyOfSeveralHeaders) {
  EXPECT_EQ(next_link({"</z>; rel=prev", "</a?x=1,2>; rel=next", "</b>; rel=next"}), "/a?x=1,2");
}

}  // namespace
}  // namespace regfs::registry
