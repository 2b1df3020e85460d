// SPDX-License-Identifier: MIT
#include "registry/refusal.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/fake_clock.h"

namespace regfs::registry::refusal_test {
namespace {

using namespace std::chrono_literals;

const std::string kAnn = "user ann from /home/ann/.docker/config.json, entry 'ghcr.io'";

Refusal refusal(int status, const std::string& body = "", const std::string& identity = "") {
  Refusal refusal;
  refusal.status = status;
  refusal.answered_by = refusal.registry_host = "ghcr.io";
  refusal.what = "ghcr.io/acme/api:v1";
  refusal.body = body;
  refusal.around.shown.identity = identity;
  refusal.around.longest_wait = 30s;
  return refusal;
}

std::string sentence(const Refusal& refusal) {
  return to_error(refusal).context();
}

std::string said(const std::string& code, const std::string& message) {
  return R"({"errors":[{"code":")" + code + R"(","message":")" + message + R"("}]})";
}

TEST(Refusal, Of401SaysHowToLogIn) {
  EXPECT_EQ(sentence(refusal(401, said("UNAUTHORIZED", "authentication required"))),
            "ghcr.io/acme/api:v1: credentials needed, or it does not exist (ghcr.io: 401 UNAUTHORIZED "
            "\"authentication required\"); used: anonymous; run 'docker login ghcr.io'");
  EXPECT_TRUE(to_error(refusal(401)).is(Errc::unauthorized));
}

TEST(Refusal, Of401ToAUserSaysWhoseCredentialsAreNotAccepted) {
  EXPECT_EQ(sentence(refusal(401, "", kAnn)),
            "ghcr.io/acme/api:v1: the credentials are not accepted, or it does not exist (ghcr.io: 401); used: " +
                kAnn + "; run 'docker login ghcr.io' again, or give another password");
}

TEST(Refusal, ThatChallengesInUnknownWordsNamesTheHeader) {
  test::FakeClock clock;
  auto odd = [&clock](const std::vector<std::string>& challenges) {
    HttpHead head;
    head.status = 401;
    for (const std::string& challenge : challenges) head.headers.add("WWW-Authenticate", challenge);
    return circumstances(head, {}, clock.wall_now(), 30s).odd_challenge;
  };
  for (const char* header : {"Bearer", "Bearer realm=\"http://unclosed", "Bearer realm=\"\"", "Negotiate", "=,=", ""}) {
    EXPECT_TRUE(odd({header})) << header;
  }
  EXPECT_FALSE(odd({}));
  EXPECT_FALSE(odd({"Negotiate", "Basic"}));
  EXPECT_FALSE(odd({R"(Bearer realm="https://a.example/token")"}));
  Refusal unknown = refusal(401);
  unknown.around.odd_challenge = true;
  EXPECT_NE(
      sentence(unknown).find("(ghcr.io: 401, and its WWW-Authenticate header is not understood); used: anonymous"),
      std::string::npos);
}

TEST(Refusal, Of403SaysWhoMayNot) {
  EXPECT_EQ(sentence(refusal(403, said("DENIED", "denied"), kAnn)),
            "ghcr.io/acme/api:v1: access denied, or it does not exist (ghcr.io: 403 DENIED); used: " + kAnn +
                "; ask for access, or log in as somebody else");
  EXPECT_TRUE(sentence(refusal(403)).ends_with("used: anonymous; run 'docker login ghcr.io'"));
  EXPECT_TRUE(to_error(refusal(403)).is(Errc::forbidden));
}

TEST(Refusal, Of404DoesNotClaimThatItIsNotThere) {
  EXPECT_EQ(sentence(refusal(404, said("MANIFEST_UNKNOWN", "manifest unknown"))),
            "ghcr.io/acme/api:v1: not found, or not visible with these credentials (ghcr.io: 404 MANIFEST_UNKNOWN "
            "\"manifest unknown\"); used: anonymous; check the name; if it is private, run 'docker login ghcr.io'");
  EXPECT_TRUE(to_error(refusal(404)).is(Errc::not_found));
}

TEST(Refusal, Of429SaysTheLimitAndHowToRaiseIt) {
  Refusal limited = refusal(429, "You have reached your pull rate limit.");
  limited.answered_by = limited.registry_host = "docker.io";
  limited.what = "docker.io/library/nginx:latest";
  limited.around.limit = RateLimit{100, 0, 21600s};
  EXPECT_EQ(sentence(limited),
            "docker.io/library/nginx:latest: too many requests: 100 requests in 6 h are allowed (docker.io: 429 You "
            "have reached your pull rate limit.); used: anonymous; try again later; run 'docker login' to raise the "
            "limit");
  EXPECT_TRUE(to_error(limited).is(Errc::rate_limited));
  limited.around.shown.identity = kAnn;
  EXPECT_TRUE(sentence(limited).ends_with("used: " + kAnn + "; try again later"));
}

TEST(Refusal, Of429SaysHowLongAWaitIsThatIsNotObeyed) {
  Refusal limited = refusal(429);
  limited.around.retry_after = 86400s;
  EXPECT_NE(sentence(limited).find("it asks to wait for 24 h, longer than --timeout, which is 30 s; run 'docker"),
            std::string::npos)
      << sentence(limited);
  limited.around.retry_after = 7s;
  EXPECT_NE(sentence(limited).find("try again in 7 s"), std::string::npos) << sentence(limited);
}

TEST(Refusal, Of5xxBlamesTheServer) {
  for (int status : {500, 502, 503, 599}) {
    EXPECT_EQ(sentence(refusal(status)), "ghcr.io/acme/api:v1: the server failed (ghcr.io: " + std::to_string(status) +
                                             "); used: anonymous; try again later");
    EXPECT_TRUE(to_error(refusal(status)).is(Errc::server_error));
  }
  Refusal busy = refusal(503);
  busy.around.retry_after = 3600s;
  EXPECT_TRUE(sentence(busy).ends_with("it asks to wait for 60 min, longer than --timeout, which is 30 s"));
}

TEST(Refusal, OfOtherKindsHasItsOwnCode) {
  for (auto [status, code] :
       {std::pair(405, Errc::unsupported), std::pair(501, Errc::server_error), std::pair(410, Errc::not_found),
        std::pair(451, Errc::forbidden), std::pair(408, Errc::timed_out), std::pair(400, Errc::bad_response),
        std::pair(204, Errc::bad_response), std::pair(418, Errc::bad_response)}) {
    EXPECT_TRUE(to_error(refusal(status)).is(code)) << status;
  }
  EXPECT_TRUE(to_error(refusal(400, said("NAME_INVALID", "invalid number of path components: 1"))).is(Errc::not_found));
}

TEST(Refusal, ShowsNoSecretThatTheAnswerRepeats) {
  Refusal echo = refusal(403, said("DENIED", R"(bad login ann / corr\"ect-horse, token short.token)"), kAnn);
  echo.around.shown.secrets = {Secret("corr\"ect-horse"), Secret("short.token"), Secret("at"), Secret()};
  const std::string told = sentence(echo);
  EXPECT_EQ(told.find("ect-horse"), std::string::npos) << told;
  EXPECT_EQ(told.find("short.token"), std::string::npos) << told;
  EXPECT_NE(told.find("DENIED \"bad login ann / ***, token ***"), std::string::npos) << told;
}

TEST(Refusal, ReadsRetryAfterInSecondsAndAsADate) {
  test::FakeClock clock;
  HttpHead head{429, {}};
  EXPECT_EQ(circumstances(head, {}, clock.wall_now(), 30s).retry_after, std::nullopt);
  head.headers.add("Retry-After", "120");
  head.headers.add("RateLimit-Limit", "100;w=60");
  Circumstances around = circumstances(head, {.identity = kAnn}, clock.wall_now(), 30s);
  EXPECT_EQ(around.retry_after, 120s);
  EXPECT_EQ(around.shown.identity, kAnn);
  EXPECT_EQ(around.limit->limit, 100u);
  HttpHead dated{429, {}};
  dated.headers.add("Retry-After", "Fri, 31 Dec 1999 23:59:59 GMT");
  const auto before = std::chrono::sys_days(std::chrono::year(1999) / 12 / 31) + 23h;
  EXPECT_EQ(circumstances(dated, {}, before, 30s).retry_after, 3599s);
}

}  // namespace
}  // namespace regfs::registry::refusal_test
