// SPDX-License-Identifier: MIT
#include "registry/token_answer.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/registry/hostile_documents.h"

namespace regfs::registry::token_answer_test {
namespace {

using std::chrono::seconds;

TEST(TokenAnswer, IsNoHostileDocument) {
  for (const HostileDocument& document : hostile_documents()) {
    Result<TokenAnswer> answer = parse_token_answer(document.body);
    ASSERT_FALSE(answer) << document.name;
    EXPECT_TRUE(answer.error().is(Errc::malformed)) << document.name;
  }
}

TEST(TokenAnswer, NeedsAToken) {
  for (const char* body : {"{}", R"({"token":""})", R"({"token":null})", R"({"token":7,"access_token":[]})",
                           R"({"Token":"abc"})", R"({"refresh_token":"abc"})"}) {
    EXPECT_TRUE(parse_token_answer(body).error().is(Errc::malformed)) << body;
  }
}

TEST(TokenAnswer, RefusesATokenThatCouldForgeAHeader) {
  for (const char* token : {R"(a\r\nX: y)", R"(a\nb)", R"(a\u0000b)", R"(a b)", R"(a\u007f)", R"(\u00e4)", R"(a\tb)"}) {
    Result<TokenAnswer> answer = parse_token_answer(std::string(R"({"token":")") + token + "\"}");
    ASSERT_FALSE(answer) << token;
    EXPECT_TRUE(answer.error().is(Errc::malformed)) << token;
  }
}

TEST(TokenAnswer, IsNeverQuotedInASentence) {
  for (const char* body : {"s3cret", "<s3cret", R"({"s3cret":1,"s3cret":2})", R"({"token":"s3cret\n"})",
                           R"(["s3cret"])", R"({"token":{"s3cret":1}})"}) {
    Result<TokenAnswer> answer = parse_token_answer(body);
    ASSERT_FALSE(answer) << body;
    EXPECT_EQ(answer.error().context().find("s3cret"), std::string::npos) << answer.error().context();
  }
}

TEST(TokenAnswer, LivesForTheShortestTimeWhenExpiryIsNonsense) {
  for (std::string expiry :
       {"null", "\"soon\"", "\"300\"", "-1", "1.5", "1e3", "[]", "0", "1", "59", "99999999999999999999"}) {
    Result<TokenAnswer> answer = parse_token_answer(R"({"token":"abc","expires_in":)" + expiry + "}");
    ASSERT_TRUE(answer) << expiry;
    EXPECT_EQ(answer->expires_in, kShortestTokenLife) << expiry;
  }
  EXPECT_EQ(parse_token_answer(R"({"token":"abc"})")->expires_in, seconds(60));
}

TEST(TokenAnswer, MayHoldAnotherRefreshToken) {
  EXPECT_EQ(parse_token_answer(R"({"access_token":"a","refresh_token":"next"})")->refresh_token.reveal(), "next");
  for (const char* body : {R"({"token":"a"})", R"({"token":"a","refresh_token":""})",
                           R"({"token":"a","refresh_token":null})", R"({"token":"a","refresh_token":["next"]})"}) {
    EXPECT_TRUE(parse_token_answer(body)->refresh_token.empty()) << body;
  }
}

TEST(TokenAnswer, LivesForADayAtMost) {
  EXPECT_EQ(parse_token_answer(R"({"token":"a","expires_in":18446744073709551615})")->expires_in, kLongestTokenLife);
  EXPECT_EQ(parse_token_answer(R"({"token":"a","expires_in":43200})")->expires_in, seconds(43'200));
}

TEST(TokenAnswer, PrefersTheAccessToken) {
  EXPECT_EQ(parse_token_answer(R"({"token":"a","access_token":"b"})")->token.reveal(), "b");
  EXPECT_EQ(parse_token_answer(R"({"access_token":"b"})")->token.reveal(), "b");
  EXPECT_EQ(parse_token_answer(R"({"token":"a","access_token":""})")->token.reveal(), "a");
  EXPECT_EQ(parse_token_answer(R"({"token":"a","access_token":null})")->token.reveal(), "a");
}

TEST(TokenAnswer, ReadsWhatDockerHubSends) {
  Result<TokenAnswer> answer = parse_token_answer(
      R"({"token":"eyJ.a-b_c","access_token":"eyJ.a-b_c","expires_in":300,"issued_at":"2021-04-28T13:05:30.289632369Z"})");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->token.reveal(), "eyJ.a-b_c");
  EXPECT_EQ(answer->expires_in, seconds(300));
}

}  // namespace
}  // namespace regfs::registry::token_answer_test
