// SPDX-License-Identifier: MIT
#include "registry/error_body.h"

#include <gtest/gtest.h>

#include <string>

#include "registry/redact.h"
#include "tests/registry/hostile_documents.h"

namespace regfs::registry::error_body_test {
namespace {

std::string with_message(const std::string& message) {
  return describe_error_body(R"({"errors":[{"code":"DENIED","message":")" + message + R"("}]})");
}

TEST(ErrorBody, IsOneShortCleanLineWhateverArrives) {
  for (const HostileDocument& document : hostile_documents()) {
    std::string line = describe_error_body(document.body);
    EXPECT_LE(line.size(), kMaxErrorSentenceBytes) << document.name;
    EXPECT_TRUE(is_utf8(line)) << document.name;
    for (char c : line) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) << document.name;
  }
}

TEST(ErrorBody, SaysNothingWhereNothingUsefulStands) {
  for (const std::string& body :
       {std::string(), std::string(" \n"), std::string("{}"), std::string("[]"), std::string(R"({"errors":[]})"),
        std::string(R"({"errors":[{}, {"code":7}, null]})"), std::string(R"({"errors":[{"code":"DEN)"),
        std::string("<html><body><h1>502 Bad Gateway</h1></body></html>"),
        std::string("<!DOCTYPE html><title>x</title>"), std::string("\x1f\x8b\x08\0abc", 7), std::string("\xff\xfe"),
        std::string("<Error><Code>")}) {
    EXPECT_EQ(describe_error_body(body), "") << body;
  }
}

TEST(ErrorBody, NeverShowsWhatLooksLikeACredential) {
  for (const char* secret :
       {"eyJhbGciOi.JIUzI1", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "glpat-ab_cd-ef12gh", "dckr_pat_ab_cd-ef",
        "AKIAIOSFODNN7EXAMPLE", "dXNlcjpwYXNz==", "0123456789abcdef0123456789abcdef01234567", "password=hunter2",
        "access_token=hunter2", "Bearer hunter2x2", "Basic dXNlcjpwYXNz", "https://user:hunter2@host/x",
        "https://s3/x?X-Amz-Signature=hunter2", "/x?sig=hunter2&se=1"}) {
    std::string line = with_message(std::string("refused ") + secret + " here");
    EXPECT_TRUE(line.starts_with("DENIED \"refused ")) << line;
    EXPECT_TRUE(line.ends_with(" here\"")) << line;
    EXPECT_EQ(line.find("hunter2"), std::string::npos) << line;
    EXPECT_EQ(line.find(secret), std::string::npos) << line;
  }
  EXPECT_EQ(describe_error_body(R"({"errors":[{"code":"ghp16C7e42F292c6912E7710c838347","message":"no"}]})"),
            "*** \"no\"");
}

TEST(ErrorBody, KeepsOrdinaryWords) {
  for (const char* words :
       {"manifest unknown", "Basic authentication required", "Bearer token is missing",
        "repository acme/api:v1.2.3-20240101 not found", "unauthorized to access repository: proj/app, action: pull",
        "see https://www.docker.com/increase-rate-limits",
        "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa is missing",
        "id 123e4567-e89b-12d3-a456-426614174000", "is it denied? yes", "Größe überschritten"}) {
    EXPECT_EQ(with_message(words), "DENIED \"" + std::string(words) + "\"");
  }
}

TEST(ErrorBody, KeepsControlCharactersAndLineBreaksOut) {
  EXPECT_EQ(with_message(R"(a\r\n\u001b[31mb\u0000\tc\u0085\u202e\u2028d  e)"), "DENIED \"a [31mb c d e\"");
  EXPECT_EQ(describe_error_body("denied\x1b[2J\nsecond line"), "denied [2J");
}

TEST(ErrorBody, CutsALongMessageAtACharacter) {
  std::string line = with_message(repeated("ü ", 200));
  EXPECT_LE(line.size(), kMaxErrorSentenceBytes);
  EXPECT_GT(line.size(), kMaxErrorSentenceBytes - 4);
  EXPECT_TRUE(is_utf8(line));
  EXPECT_TRUE(line.ends_with("…\"")) << line;
}

TEST(ErrorBody, ReadsTheSpecificationsForm) {
  EXPECT_EQ(describe_error_body(
                R"({"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"nope"}}]})"),
            "MANIFEST_UNKNOWN \"manifest unknown\"");
  EXPECT_EQ(with_message(R"(no \"download\" permission)"), "DENIED \"no 'download' permission\"");
}

TEST(ErrorBody, ReadsWhatOthersSend) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"errors":[{"status":400,"message":"bad name"}]})", "bad name"},
      {R"({"errors":[{"code":"DENIED"}]})", "DENIED"},
      {R"({"errors":[{"code":"DENIED","message":"denied"}]})", "DENIED"},
      {R"({"errors":[{},{"code":"X","message":"y"}]})", "X \"y\""},
      {R"({"error":"invalid_grant","error_description":"expired"})", "invalid_grant \"expired\""},
      {R"({"error":{"code":"Forbidden","message":"no access"}})", "Forbidden \"no access\""},
      {R"({"error":"not found"})", "not found"},
      {R"({"details":"incorrect username or password"})", "incorrect username or password"},
      {R"("denied")", "denied"},
      {"\n  denied\nmore", "denied"},
      {"404 page not found\n", "404 page not found"},
      {"<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code><Message>Request &lt;has&gt; "
       "expired</Message></Error>",
       "AccessDenied \"Request <has> expired\""},
      {"\xEF\xBB\xBF<Error><Code>AuthenticationFailed</Code><Message>Bad form\nRequestId:1</Message></Error>",
       "AuthenticationFailed \"Bad form RequestId:1\""}};
  for (const auto& [body, line] : cases) EXPECT_EQ(describe_error_body(body), line) << body;
}

}  // namespace
}  // namespace regfs::registry::error_body_test
