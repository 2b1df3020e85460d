// SPDX-License-Identifier: MIT
#include "registry/exchange.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "registry/redirect.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_transport.h"
#include "tests/support/memory_log.h"

namespace regfs::registry::exchange_test {
namespace {

using namespace std::chrono_literals;
using test::fails;
using test::FakeTransport;

const std::string kUrl = "https://reg.example/v2/acme/api/manifests/v1";
const std::string kTokenUrl = "https://auth.example/token?service=reg&scope=s";
const std::pair<std::string, std::string> kChallenge = {
    "WWW-Authenticate", R"(Bearer realm="https://auth.example/token",service="reg",scope="s")"};

// Pauses take no time and are remembered.
class QuickCaller : public Caller {
 public:
  using Caller::Caller;
  bool pause(std::chrono::milliseconds duration) override {
    pauses.push_back(duration);
    return !stopped();
  }
  std::vector<std::chrono::milliseconds> pauses;
};

class ExchangeTest : public ::testing::Test {
 protected:
  Result<Reply> ask(const std::string& host = "reg.example") {
    Question question;
    question.repository = {host, "acme/api"};
    question.what = "acme/api:v1";
    question.path = "/v2/acme/api/manifests/v1";
    question.body_limit = 1000;
    return exchange_.ask(question);
  }
  std::vector<std::string> asked_urls() const {
    std::vector<std::string> urls;
    for (const HttpRequest& request : transport_.requests()) urls.push_back(request.url);
    return urls;
  }

  FakeTransport transport_;
  test::FakeClock clock_;
  const ClientOptions options_;
  test::MemoryLog log_{clock_};
  RateLimits limits_{log_.log()};
  QuickCaller caller_{transport_};
  Endpoints endpoints_{{"lab.example"}};
  TokenSource tokens_{caller_, endpoints_, clock_, options_};
  Exchange exchange_{caller_, endpoints_, tokens_, clock_, options_, limits_};
};

TEST_F(ExchangeTest, DoesNotTryAgainWhenNobodyListens) {
  transport_.on(kUrl, fails(TransportFailure::refused));
  Result<Reply> reply = ask();
  ASSERT_FALSE(reply);
  EXPECT_TRUE(reply.error().is(Errc::unreachable));
  EXPECT_EQ(transport_.requests().size(), 1u);
}

TEST_F(ExchangeTest, NeverFallsBackToPlainHttpForAPublicRegistry) {
  transport_.on(kUrl, fails(TransportFailure::not_tls));
  EXPECT_FALSE(ask());
  EXPECT_EQ(asked_urls(), std::vector<std::string>{kUrl});
}

TEST_F(ExchangeTest, NeverFallsBackToPlainHttpForABadCertificate) {
  transport_.on("https://localhost:5000/v2/acme/api/manifests/v1", fails(TransportFailure::tls));
  EXPECT_FALSE(ask("localhost:5000"));
  EXPECT_EQ(transport_.requests().size(), 1u);
}

TEST_F(ExchangeTest, EndsEndlessRedirects) {
  transport_.on(kUrl, {.status = 307, .headers = {{"Location", kUrl}}});
  Result<Reply> reply = ask();
  ASSERT_FALSE(reply);
  EXPECT_TRUE(reply.error().is(Errc::bad_response));
  EXPECT_EQ(transport_.requests().size(), kMaxRedirects + 1u);
}

TEST_F(ExchangeTest, RefusesRedirectsToNowhereToOtherSchemesAndToPlainHttp) {
  for (const char* location : {"", "file:///etc/passwd", "gopher://a/", "http://reg.example/", "http://127.0.0.1/"}) {
    FakeTransport transport;
    QuickCaller caller(transport);
    TokenSource tokens(caller, endpoints_, clock_, options_);
    Exchange exchange(caller, endpoints_, tokens, clock_, options_, limits_);
    transport.on("https://reg.example/x", {.status = 302, .headers = {{"Location", location}}});
    Question question;
    question.repository = {"reg.example", "a"};
    question.path = "/x";
    Result<Reply> reply = exchange.ask(question);
    ASSERT_FALSE(reply) << location;
    EXPECT_TRUE(reply.error().is(Errc::bad_response));
    EXPECT_EQ(transport.requests().size(), 1u) << location;
  }
}

TEST_F(ExchangeTest, GivesUpOnARegistryThatRefusesEveryToken) {
  transport_.on(kUrl, {.status = 401, .headers = {kChallenge}});
  transport_.on(kTokenUrl, {.body = R"({"token": "t"})"});
  Result<Reply> reply = ask();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->head.status, 401);
  EXPECT_EQ(transport_.count(kUrl), 3u);
  EXPECT_EQ(transport_.count(kTokenUrl), 2u);
}

TEST_F(ExchangeTest, SaysHowToLogInWhereAPasswordIsWanted) {
  transport_.on(kUrl, {.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=x"}}});
  Result<Reply> reply = ask();
  ASSERT_TRUE(reply);
  Question question;
  question.repository = {"reg.example", "acme/api"};
  question.what = "reg.example/acme/api";
  Error error = refused(question, *reply);
  EXPECT_TRUE(error.is(Errc::unauthorized));
  EXPECT_EQ(error.context(),
            "reg.example/acme/api: credentials needed, or it does not exist (reg.example: 401); used: anonymous; "
            "run 'docker login reg.example'");
  EXPECT_EQ(transport_.requests().size(), 1u);
}

TEST_F(ExchangeTest, GivesUpOnARegistryThatAsksForTooLongAPause) {
  transport_.on(kUrl, {.status = 429, .headers = {{"Retry-After", "86400"}}});
  Result<Reply> reply = ask();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->head.status, 429);
  EXPECT_EQ(transport_.requests().size(), 1u);
}

TEST_F(ExchangeTest, KnowsOfAPauseThatIsTooLongAndOfTheLimit) {
  transport_.on(kUrl, {.status = 429, .headers = {{"Retry-After", "7200"}, {"ratelimit-limit", "100;w=21600"}}});
  Result<Reply> reply = ask();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->around.retry_after, 7200s);
  EXPECT_EQ(reply->around.longest_wait, options_.timeout);
  EXPECT_EQ(reply->around.limit->limit, 100u);
}

TEST_F(ExchangeTest, WarnsOfALimitThatIsNearlyReachedThoughAllIsWell) {
  transport_.on(kUrl, {.headers = {{"ratelimit-limit", "100;w=21600"}, {"ratelimit-remaining", "3;w=21600"}}});
  ASSERT_TRUE(ask());
  EXPECT_TRUE(log_.contains("reg.example allows 100 requests in 6 h, and of these 3 are left"));
}

TEST_F(ExchangeTest, TakesNoLimitFromWhomARedirectLeadsTo) {
  transport_.on(kUrl, {.status = 307, .headers = {{"Location", "https://cdn.example/x"}}});
  transport_.on("https://cdn.example/x", {.headers = {{"ratelimit-limit", "100"}, {"ratelimit-remaining", "0"}}});
  ASSERT_TRUE(ask());
  EXPECT_FALSE(log_.contains("are left"));
}

TEST_F(ExchangeTest, TriesOnceWhatIsToBeAskedOnce) {
  transport_.on(kUrl, {.status = 503});
  Question question;
  question.repository = {"reg.example", "acme/api"};
  question.path = "/v2/acme/api/manifests/v1";
  question.once = true;
  ASSERT_TRUE(exchange_.ask(question));
  EXPECT_EQ(transport_.requests().size(), 1u);
}

TEST_F(ExchangeTest, StopsAfterFiveTries) {
  transport_.on(kUrl, {.status = 503});
  Result<Reply> reply = ask();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->head.status, 503);
  EXPECT_EQ(transport_.requests().size(), 5u);
}

TEST_F(ExchangeTest, TriesATimeOutOnceMoreOnly) {
  transport_.on(kUrl, fails(TransportFailure::timed_out));
  Result<Reply> reply = ask();
  ASSERT_FALSE(reply);
  EXPECT_TRUE(reply.error().is(Errc::timed_out));
  EXPECT_EQ(transport_.requests().size(), 2u);
}

TEST_F(ExchangeTest, DoesNotRetryWhatAnotherTryWouldAnswerTheSame) {
  for (int status : {400, 403, 404, 405, 416, 501}) {
    FakeTransport transport;
    QuickCaller caller(transport);
    TokenSource tokens(caller, endpoints_, clock_, options_);
    Exchange exchange(caller, endpoints_, tokens, clock_, options_, limits_);
    transport.on("https://reg.example/x", {.status = status});
    Question question;
    question.repository = {"reg.example", "a"};
    question.path = "/x";
    Result<Reply> reply = exchange.ask(question);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->head.status, status);
    EXPECT_EQ(transport.requests().size(), 1u) << status;
  }
}

TEST_F(ExchangeTest, TakesALongBodyForCutAndNotForWhole) {
  transport_.on(kUrl, {.body = std::string(1001, 'x')});
  Result<Reply> reply = ask();
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->cut);
  EXPECT_EQ(reply->body.size(), 1000u);
}

TEST_F(ExchangeTest, DoesNotTakeABodyThatBrokeOffForAnAnswer) {
  transport_.on(kUrl, {.body = "half", .failure = TransportFailure::broken});
  EXPECT_FALSE(ask());
}

TEST_F(ExchangeTest, TakesARefusalForAnAnswerThoughItsBodyBrokeOff) {
  transport_.on(kUrl, {.status = 404, .body = "half", .failure = TransportFailure::broken});
  Result<Reply> reply = ask();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->head.status, 404);
}

TEST_F(ExchangeTest, GoesOnAfterServerErrorsAndBrokenConnections) {
  transport_.on(kUrl, {.status = 500});
  transport_.on(kUrl, fails(TransportFailure::broken));
  transport_.on(kUrl, {.body = "good"});
  Result<Reply> reply = ask();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body, "good");
  EXPECT_EQ(caller_.pauses.size(), 2u);
}

TEST_F(ExchangeTest, PausesAsLongAsTheRegistryAsks) {
  transport_.on(kUrl, {.status = 429, .headers = {{"Retry-After", "7"}}});
  transport_.on(kUrl, {.body = "good"});
  ASSERT_TRUE(ask());
  ASSERT_EQ(caller_.pauses.size(), 1u);
  EXPECT_GE(caller_.pauses[0], 7s);
}

TEST_F(ExchangeTest, AnswersAChallengeAndSendsTheTokenUnaskedFromThenOn) {
  transport_.on(kUrl, {.status = 401, .headers = {kChallenge}});
  transport_.on(kUrl, {.body = "good"});
  transport_.on(kTokenUrl, {.body = R"({"token": "t"})"});
  ASSERT_TRUE(ask());
  ASSERT_TRUE(ask());
  std::vector<HttpRequest> requests = transport_.requests_to(kUrl);
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_FALSE(requests[0].headers.first("Authorization"));
  EXPECT_EQ(requests[1].headers.first("Authorization"), "Bearer t");
  EXPECT_EQ(requests[2].headers.first("Authorization"), "Bearer t");
  EXPECT_EQ(transport_.count(kTokenUrl), 1u);
}

TEST_F(ExchangeTest, KeepsTheTokenFromWhomARedirectLeadsTo) {
  transport_.on(kUrl, {.status = 401, .headers = {kChallenge}});
  transport_.on(kUrl, {.status = 307, .headers = {{"Location", "https://reg.example:8443/x"}}});
  transport_.on("https://reg.example:8443/x",
                {.status = 307, .headers = {{"Location", "https://cdn.example/x?sig=1"}}});
  transport_.on("https://cdn.example/x?sig=1", {.status = 307, .headers = {{"Location", "https://reg.example/back"}}});
  transport_.on("https://reg.example/back", {.body = "good"});
  transport_.on(kTokenUrl, {.body = R"({"token": "t"})"});
  ASSERT_TRUE(ask());
  EXPECT_FALSE(transport_.requests_to("https://reg.example:8443/x")[0].headers.first("Authorization"));
  EXPECT_FALSE(transport_.requests_to("https://cdn.example/x?sig=1")[0].headers.first("Authorization"));
  EXPECT_TRUE(transport_.requests_to("https://reg.example/back")[0].headers.first("Authorization"));
}

TEST_F(ExchangeTest, OffersNoTokenToARedirectsTargetThatAsksForOne) {
  transport_.on(kUrl, {.status = 307, .headers = {{"Location", "https://evil.example/x"}}});
  transport_.on("https://evil.example/x", {.status = 401, .headers = {kChallenge}});
  Result<Reply> reply = ask();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->head.status, 401);
  EXPECT_EQ(reply->answered_by, "evil.example");
  EXPECT_EQ(transport_.requests().size(), 4u) << "and once more, since its URL may have expired";
}

TEST_F(ExchangeTest, AsksTheRegistryOnceMoreWhenTheUrlThatItGaveHasExpired) {
  for (int status : {400, 401, 403}) {
    transport_.replace(kUrl, {.status = 307, .headers = {{"Location", "https://store.example/blob?Expires=1"}}});
    transport_.on(kUrl, {.status = 307, .headers = {{"Location", "https://store.example/blob?Expires=2"}}});
    transport_.replace("https://store.example/blob?Expires=1", {.status = status, .body = "<Error/>"});
    transport_.replace("https://store.example/blob?Expires=2", {.body = "good"});
    Result<Reply> reply = ask();
    ASSERT_TRUE(reply) << status;
    EXPECT_EQ(reply->body, "good") << status;
    transport_.replace("https://store.example/blob?Expires=2", {.status = status});
    const size_t before = transport_.requests().size();
    EXPECT_EQ(ask()->head.status, status);
    EXPECT_EQ(transport_.requests().size(), before + 4) << "and no more often";
  }
}

TEST_F(ExchangeTest, FallsBackToPlainHttpOnLoopbackOnceAndRemembersIt) {
  transport_.on("https://localhost:5000/v2/acme/api/manifests/v1", fails(TransportFailure::not_tls));
  transport_.on("http://localhost:5000/v2/acme/api/manifests/v1", {.body = "good"});
  ASSERT_TRUE(ask("localhost:5000"));
  ASSERT_TRUE(ask("localhost:5000"));
  EXPECT_EQ(transport_.count("https://localhost:5000/v2/acme/api/manifests/v1"), 1u);
  EXPECT_EQ(transport_.count("http://localhost:5000/v2/acme/api/manifests/v1"), 2u);
}

TEST_F(ExchangeTest, VerifiesTlsUnlessTheHostIsCalledInsecure) {
  transport_.on(kUrl, {});
  transport_.on("https://lab.example/v2/acme/api/manifests/v1", {});
  ASSERT_TRUE(ask());
  ASSERT_TRUE(ask("lab.example"));
  EXPECT_TRUE(transport_.requests()[0].verify_tls);
  EXPECT_FALSE(transport_.requests()[1].verify_tls);
}

TEST_F(ExchangeTest, EndsItsWaitForAnAnswerAtShutdown) {
  transport_.on(kUrl, test::held());
  Result<Reply> reply = Error{Errc::cancelled, ""};
  std::thread asking([&] { reply = ask(); });
  transport_.wait_until_held(1);
  caller_.shutdown();
  asking.join();
  ASSERT_FALSE(reply);
  EXPECT_TRUE(reply.error().is(Errc::shutting_down));
}

TEST(Caller, EndsItsPausesAtShutdown) {
  FakeTransport transport;
  Caller caller(transport);
  bool slept = true;
  std::thread pausing([&] { slept = caller.pause(1h); });
  caller.shutdown();
  pausing.join();
  EXPECT_FALSE(slept);
}

TEST(Caller, WaitsNoLongerThanItIsTold) {
  FakeTransport transport;
  Caller caller(transport);
  transport.on("https://a/", test::held());
  HttpRequest request;
  request.url = "https://a/";
  Answer answer = caller.send(request, 10, 1ms);
  ASSERT_TRUE(answer.error);
  EXPECT_TRUE(answer.error->is(Errc::timed_out));
}

TEST(Caller, EndsWhenTheTransportStops) {
  FakeTransport transport;
  Caller caller(transport);
  transport.on("https://a/", fails(TransportFailure::cancelled));
  HttpRequest request;
  request.url = "https://a/";
  Answer answer = caller.send(request, 10);
  ASSERT_TRUE(answer.error);
  EXPECT_TRUE(answer.error->is(Errc::shutting_down));
}

}  // namespace
}  // namespace regfs::registry::exchange_test
