// SPDX-License-Identifier: MIT
#include "registry/tag_page.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/registry/hostile_documents.h"

namespace regfs::registry::tag_page_test {
namespace {

TEST(TagPage, IsNeverShortInsteadOfAnError) {
  for (const HostileDocument& document : hostile_documents()) {
    Result<TagPage> page = parse_tag_page(document.body);
    ASSERT_FALSE(page) << document.name;
    EXPECT_TRUE(page.error().is(Errc::malformed) || page.error().is(Errc::too_large)) << document.name;
  }
}

TEST(TagPage, IsNoOtherDocument) {
  for (const char* body :
       {"{}", R"({"errors":[{"code":"DENIED"}]})", R"({"tags":{}})", R"({"tags":"v1"})", R"({"tags":0})",
        R"({"name":null})", R"({"name":7})", R"({"repositories":["a"]})", R"({"Tags":["v1"]})"}) {
    Result<TagPage> page = parse_tag_page(body);
    ASSERT_FALSE(page) << body;
    EXPECT_TRUE(page.error().is(Errc::malformed)) << body;
    EXPECT_TRUE(page.error().context().starts_with("the tag list")) << page.error().context();
  }
}

TEST(TagPage, SkipsAndCountsWhatIsNoTag) {
  Result<TagPage> page = parse_tag_page(
      R"({"name":"a","tags":["v1","","..",".","a/b","../../etc/passwd","a b","\u0000","\u001b[31m","ä",null,7,{},[],"sha256:00","-x","v2",")" +
      std::string(129, 'a') + "\"]}");
  ASSERT_TRUE(page) << page.error().context();
  EXPECT_EQ(page->tags, (std::vector<std::string>{"v1", "v2"}));
  EXPECT_EQ(page->listed, 18u);
  EXPECT_EQ(page->skipped, 16u);
}

TEST(TagPage, IsEmptyWhenTheRegistrySaysNull) {
  for (const char* body :
       {R"({"name":"a","tags":null})", R"({"tags":null})", R"({"name":"a"})", R"({"name":"a","tags":[]})"}) {
    Result<TagPage> page = parse_tag_page(body);
    ASSERT_TRUE(page) << body;
    EXPECT_TRUE(page->tags.empty());
    EXPECT_EQ(page->listed, 0u);
  }
}

TEST(TagPage, KeepsTheRegistrysOrder) {
  EXPECT_EQ(parse_tag_page(R"({"tags":["b","a","c","a"]})")->tags, (std::vector<std::string>{"b", "a", "c", "a"}));
}

TEST(TagPage, ReadsGooglesExtraMembers) {
  Result<TagPage> page = parse_tag_page(
      R"({"child":["sub1"],"manifest":{"sha256:00":{"imageSizeBytes":"123","tag":["latest"]}},"name":"p/i","tags":["latest"]})");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->tags, std::vector<std::string>{"latest"});
}

TEST(TagPage, HoldsAHundredThousandTags) {
  Result<TagPage> page = parse_tag_page(R"({"tags":["v")" + repeated(R"(,"v1.2.3-20240101.4")", 100'000) + "]}");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->tags.size(), 100'001u);
}

TEST(TagPage, TakesOfGooglesChildrenThoseThatMayBeRepositories) {
  Result<TagPage> page = parse_tag_page(
      R"({"child": ["img", "..", "a/b", "", "Upper", 7, null], "manifest": {"sha256:0": {"tag": ["v1"]}}, "tags": ["v1"]})");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->children, std::vector<std::string>{"img"});
  EXPECT_EQ(page->tags, std::vector<std::string>{"v1"});
  EXPECT_EQ(page->skipped, 6u);
  EXPECT_EQ(page->listed, 8u);
}

TEST(TagPage, IsGoodWhateverStandsForItsChildren) {
  for (const char* child : {"null", "7", "{}", "\"img\""}) {
    Result<TagPage> page = parse_tag_page(R"({"tags": ["v1"], "child": )" + std::string(child) + "}");
    ASSERT_TRUE(page) << child;
    EXPECT_TRUE(page->children.empty());
  }
}

TEST(CatalogPage, RefusesWhatIsNoCatalog) {
  for (const char* body : {"", "<html>", "[]", "{}", R"({"repositories": {}})", R"({"repositories": ["a")"}) {
    Result<CatalogPage> page = parse_catalog_page(body, "reg.example");
    ASSERT_FALSE(page) << body;
    EXPECT_TRUE(page.error().is(Errc::malformed)) << body;
  }
}

TEST(CatalogPage, TakesTheNamesThatMayBeRepositories) {
  Result<CatalogPage> page = parse_catalog_page(
      R"({"repositories": ["acme/api", "../../etc", "/abs", "a//b", "x", ")" + std::string(300, 'a') + "\"]}",
      "reg.example");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->repositories, (std::vector<std::string>{"acme/api", "x"}));
  EXPECT_EQ(page->skipped, 4u);
}

}  // namespace
}  // namespace regfs::registry::tag_page_test
