// SPDX-License-Identifier: MIT
#include "registry/token_source.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "registry/redirect.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_transport.h"

namespace regfs::registry::token_source_test {
namespace {

using namespace std::chrono_literals;
using test::FakeTransport;

const Repository kRepository{"reg.example", "acme/api"};
const std::string kRegistry = "https://reg.example";
const std::string kTokenUrl = "https://auth.example/token?service=reg&scope=repository%3Aacme%2Fapi%3Apull";

HttpHead challenge(const std::string& text) {
  HttpHead head;
  head.status = 401;
  head.headers.add("WWW-Authenticate", text);
  return head;
}

HttpHead usual_challenge() {
  return challenge(R"(Bearer realm="https://auth.example/token",service="reg",scope="repository:acme/api:pull")");
}

test::ScriptedAnswer token(const std::string& value, const std::string& more = "") {
  return {.body = R"({"token": ")" + value + "\"" + more + "}"};
}

class TokenSourceTest : public ::testing::Test {
 protected:
  static ClientOptions fast() {
    ClientOptions options;
    options.backoff_first = options.backoff_longest = 1ms;
    options.attempts = 3;
    return options;
  }
  Result<std::optional<Secret>> renew(const HttpHead& head, std::optional<Secret> rejected = std::nullopt) {
    return source_.renewed(kRepository, kRegistry, head, rejected);
  }

  FakeTransport transport_;
  test::FakeClock clock_;
  const ClientOptions options_ = fast();
  Caller caller_{transport_};
  Endpoints endpoints_{{}};
  TokenSource source_{caller_, endpoints_, clock_, options_};
};

TEST_F(TokenSourceTest, NeverAsksARealmOverPlainHttp) {
  Result<std::optional<Secret>> result = renew(challenge(R"(Bearer realm="http://auth.example/token",service="reg")"));
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().is(Errc::bad_response));
  EXPECT_NE(result.error().context().find("auth.example"), std::string::npos);
  EXPECT_TRUE(transport_.requests().empty());
}

TEST_F(TokenSourceTest, NeverAsksALoopbackRealmForAPublicRegistryOverPlainHttp) {
  EXPECT_FALSE(renew(challenge(R"(Bearer realm="http://127.0.0.1:9/token",service="reg")")));
  EXPECT_FALSE(renew(challenge(R"(Bearer realm="file:///etc/passwd")")));
  EXPECT_FALSE(renew(challenge(R"(Bearer realm="https://user:secret@auth.example/token")")));
  EXPECT_TRUE(transport_.requests().empty());
}

TEST_F(TokenSourceTest, DoesNotFollowARealmThatRedirectsToPlainHttp) {
  transport_.on(kTokenUrl, {.status = 302, .headers = {{"Location", "http://auth.example/token"}}});
  EXPECT_FALSE(renew(usual_challenge()));
  EXPECT_EQ(transport_.requests().size(), 1u);
}

TEST_F(TokenSourceTest, EndsARealmsEndlessRedirects) {
  transport_.on(kTokenUrl, {.status = 302, .headers = {{"Location", kTokenUrl}}});
  EXPECT_FALSE(renew(usual_challenge()));
  EXPECT_EQ(transport_.requests().size(), kMaxRedirects + 1u);
}

TEST_F(TokenSourceTest, NamesTheRealmThatRefuses) {
  transport_.on(kTokenUrl, {.status = 403, .body = R"({"errors": [{"code": "DENIED", "message": "no"}]})"});
  Result<std::optional<Secret>> result = renew(usual_challenge());
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().is(Errc::forbidden));
  EXPECT_NE(result.error().context().find("auth.example: 403"), std::string::npos) << result.error().context();
}

TEST_F(TokenSourceTest, RefusesAnAnswerWithoutEnd) {
  transport_.on(kTokenUrl, {.body = std::string((1u << 20) + 1, ' ')});
  Result<std::optional<Secret>> result = renew(usual_challenge());
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().is(Errc::too_large));
}

TEST_F(TokenSourceTest, RefusesAWebPage) {
  transport_.on(kTokenUrl, {.body = "<html>"});
  Result<std::optional<Secret>> result = renew(usual_challenge());
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().context().find("auth.example"), std::string::npos);
}

TEST_F(TokenSourceTest, HasNoAnswerToAChallengeForAPassword) {
  Result<std::optional<Secret>> result = renew(challenge("Basic realm=\"x\""));
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->has_value());
  EXPECT_TRUE(transport_.requests().empty());
}

TEST_F(TokenSourceTest, SendsNothingToARepositoryThatNeverChallenged) {
  Result<std::optional<Secret>> result = source_.current(kRepository);
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->has_value());
}

TEST_F(TokenSourceTest, AsksOnceForTwentyThreads) {
  transport_.on(kTokenUrl, {.body = R"({"token": "one"})", .holds = true});
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([&] {
      Result<std::optional<Secret>> result = renew(usual_challenge());
      if (result && *result == Secret("Bearer one")) ++good;
    });
  }
  transport_.wait_until_held(1);
  transport_.release();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 20);
  EXPECT_EQ(transport_.count(kTokenUrl), 1u);
}

TEST_F(TokenSourceTest, KeepsATokenUntilShortlyBeforeItExpires) {
  transport_.on(kTokenUrl, token("one", R"(, "expires_in": 300)"));
  transport_.on(kTokenUrl, token("two", R"(, "expires_in": 300)"));
  ASSERT_TRUE(renew(usual_challenge()));
  clock_.advance(289s);
  EXPECT_EQ(*source_.current(kRepository), Secret("Bearer one"));
  clock_.advance(2s);
  EXPECT_EQ(*source_.current(kRepository), Secret("Bearer two"));
}

TEST_F(TokenSourceTest, DropsARejectedTokenOnceHoweverManyHadIt) {
  transport_.on(kTokenUrl, token("one"));
  transport_.on(kTokenUrl, token("two"));
  ASSERT_TRUE(renew(usual_challenge()));
  EXPECT_EQ(*renew(usual_challenge(), Secret("Bearer one")), Secret("Bearer two"));
  EXPECT_EQ(*renew(usual_challenge(), Secret("Bearer one")), Secret("Bearer two"));
  EXPECT_EQ(transport_.count(kTokenUrl), 2u);
}

TEST_F(TokenSourceTest, TakesTheLastChallengeWhereA401HasNone) {
  transport_.on(kTokenUrl, token("one"));
  transport_.on(kTokenUrl, token("two"));
  ASSERT_TRUE(renew(usual_challenge()));
  HttpHead bare;
  bare.status = 401;
  EXPECT_EQ(*renew(bare, Secret("Bearer one")), Secret("Bearer two"));
}

TEST_F(TokenSourceTest, GivesOneRegistrysTokenToNoOther) {
  transport_.on(kTokenUrl, token("one"));
  transport_.on(kTokenUrl, token("two"));
  ASSERT_TRUE(renew(usual_challenge()));
  Repository other{"evil.example", "acme/api"};
  EXPECT_EQ(*source_.renewed(other, "https://evil.example", usual_challenge(), std::nullopt), Secret("Bearer two"));
}

TEST_F(TokenSourceTest, NamesTheRepositoryWhereTheChallengeNamesNone) {
  transport_.on("https://auth.example/token?scope=repository%3Aacme%2Fapi%3Apull", token("one"));
  EXPECT_TRUE(renew(challenge(R"(Bearer realm="https://auth.example/token")")));
  EXPECT_TRUE(renew(challenge(R"(Bearer realm="https://auth.example/token",scope="repository:user/image:pull")")));
}

TEST_F(TokenSourceTest, AsksForTheScopeThatTheRegistryNames) {
  transport_.on("https://auth.example/token/?service=public.ecr.aws&scope=aws", token("one"));
  EXPECT_TRUE(renew(challenge(R"(Bearer realm="https://auth.example/token/",service="public.ecr.aws",scope="aws")")));
}

TEST_F(TokenSourceTest, AsksThePlainRealmOfALoopbackRegistry) {
  transport_.on("http://127.0.0.1:5001/token?scope=repository%3Aacme%2Fapi%3Apull", token("one"));
  Result<std::optional<Secret>> result =
      source_.renewed({"localhost:5000", "acme/api"}, "http://localhost:5000",
                      challenge(R"(Bearer realm="http://127.0.0.1:5001/token")"), std::nullopt);
  EXPECT_EQ(*result, Secret("Bearer one"));
}

TEST_F(TokenSourceTest, TriesABusyRealmAgain) {
  transport_.on(kTokenUrl, {.status = 503});
  transport_.on(kTokenUrl, test::fails(TransportFailure::broken));
  transport_.on(kTokenUrl, token("one"));
  EXPECT_EQ(*renew(usual_challenge()), Secret("Bearer one"));
}

TEST_F(TokenSourceTest, EndsItsWaitsWhenTheClientShutsDown) {
  transport_.on(kTokenUrl, test::held());
  std::vector<std::thread> threads;
  std::atomic<int> ended = 0;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      Result<std::optional<Secret>> result = renew(usual_challenge());
      if (!result && result.error().is(Errc::shutting_down)) ++ended;
    });
  }
  transport_.wait_until_held(1);
  caller_.shutdown();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ended, 3);
}

}  // namespace
}  // namespace regfs::registry::token_source_test
