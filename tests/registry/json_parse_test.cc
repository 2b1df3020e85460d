// SPDX-License-Identifier: MIT
#include "registry/json_parse.h"

#include <gtest/gtest.h>

#include <string>

#include "registry/manifest.h"
#include "tests/registry/hostile_documents.h"

namespace regfs::registry::json_parse_test {
namespace {

std::string refusal(const std::string& body, size_t max_values = kMaxJsonValues) {
  Result<Json> json = parse_json(body, max_values);
  return json ? "accepted" : json.error().context();
}

TEST(ParseJson, SaysWhyItRefuses) {
  EXPECT_EQ(refusal(" \n<html>"), "not JSON but a web page or XML: it starts with '<'");
  EXPECT_EQ(refusal(R"({"a":1)"), "not JSON: it ends early, after 6 bytes");
  EXPECT_EQ(refusal("{]"), "not JSON: byte 2 is not expected there");
  EXPECT_EQ(refusal("[1e999]"), "not JSON: a number is out of every range");
  EXPECT_EQ(refusal(std::string("{}\0", 3)), "not JSON: it holds a NUL byte");
  EXPECT_EQ(refusal(R"({"layers":1,"layers":1})"), "an object has the key 'layers' twice");
  EXPECT_EQ(refusal(std::string(kMaxJsonDepth + 1, '[')), "nested deeper than 64 levels");
}

TEST(ParseJson, ShowsNoControlCharacterOfARepeatedKey) {
  EXPECT_EQ(refusal(R"({"\u001b[31m":1,"\u001b[31m":2})"), "an object has the key '\\x1b[31m' twice");
}

TEST(ParseJson, BoundsTheNumberOfValues) {
  EXPECT_TRUE(parse_json("[0,0]", 3));
  Result<Json> over = parse_json("[0,0,0]", 3);
  ASSERT_FALSE(over);
  EXPECT_TRUE(over.error().is(Errc::too_large));
}

TEST(ParseJson, TakesTheDeepestNestingThatIsAllowed) {
  EXPECT_TRUE(parse_json(std::string(kMaxJsonDepth, '[') + std::string(kMaxJsonDepth, ']')));
}

TEST(Json, HasNoNaturalNumberInOtherNumbers) {
  for (const std::string& number : hostile_numbers()) {
    Result<Json> json = parse_json("{\"n\":" + number + "}");
    const uint64_t* natural = json ? json->find("n")->natural() : nullptr;
    EXPECT_TRUE(natural == nullptr || *natural > INT64_MAX) << number;
  }
  EXPECT_EQ(*parse_json("18446744073709551615")->natural(), UINT64_MAX);
  EXPECT_EQ(*parse_json("0")->natural(), 0u);
}

TEST(Json, TakesNullForAbsentButStillNamesIt) {
  Result<Json> json = parse_json(R"({"tags":null})");
  ASSERT_TRUE(json);
  EXPECT_EQ(json->find("tags"), nullptr);
  EXPECT_TRUE(json->names("tags"));
  EXPECT_FALSE(json->names("name"));
}

TEST(Json, FindsMembersByTheirExactKey) {
  Result<Json> json = parse_json(R"({"z":"1","a":"2","Layers":"3","m":"4","":"5"})");
  ASSERT_TRUE(json);
  EXPECT_EQ(*json->find("a")->string(), "2");
  EXPECT_EQ(*json->find("z")->string(), "1");
  EXPECT_EQ(*json->find("")->string(), "5");
  EXPECT_EQ(json->find("layers"), nullptr);
  EXPECT_EQ(parse_json("[]")->find("a"), nullptr);
}

TEST(Json, NamesItsKind) {
  const std::pair<const char*, const char*> kinds[] = {
      {"null", "null"},     {"false", "a boolean"}, {"1", "a number"},  {"-1", "a negative or fractional number"},
      {"\"\"", "a string"}, {"[]", "an array"},     {"{}", "an object"}};
  for (const auto& [body, kind] : kinds) EXPECT_STREQ(parse_json(body)->kind(), kind);
}

}  // namespace
}  // namespace regfs::registry::json_parse_test
