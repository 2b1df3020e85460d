// SPDX-License-Identifier: MIT
// How challenges are answered by whom a registry knows.
#include <gtest/gtest.h>

#include "registry/token_source.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_transport.h"

namespace regfs::registry::token_source_credentials_test {
namespace {

using namespace std::chrono_literals;
using test::FakeTransport;

const Repository kRepository{"reg.example", "acme/api"};
const std::string kRegistry = "https://reg.example";
const std::string kRealm = "https://auth.example/token";
const std::string kTokenUrl = kRealm + "?service=reg&scope=s";

HttpHead answer(int status, const std::string& challenge = "") {
  HttpHead head;
  head.status = status;
  if (!challenge.empty()) head.headers.add("WWW-Authenticate", challenge);
  return head;
}
HttpHead bearer(const std::string& realm = kRealm) {
  return answer(401, "Bearer realm=\"" + realm + "\",service=\"reg\",scope=\"s\"");
}
HttpHead basic() {
  return answer(401, "Basic realm=\"x\"");
}

// Has one credential, until a test gives it another; counts refusals.
class OneAtATime : public Credentials {
 public:
  Result<std::optional<Credential>> find(const Repository&) override {
    if (error) return *error;
    return held;
  }
  void refused(const Repository&) override {
    ++refusals;
    if (next) held = std::move(next);
    next.reset();
  }

  std::optional<Credential> held;
  std::optional<Credential> next;  // from the next refusal on
  std::optional<Error> error;
  int refusals = 0;
};

Credential user(const std::string& name, const std::string& password) {
  Credential credential;
  credential.username = name;
  credential.password = Secret(password);
  credential.source = "file";
  return credential;
}

class TokenSourceCredentialsTest : public ::testing::Test {
 protected:
  ClientOptions options() {
    ClientOptions options;
    options.backoff_first = options.backoff_longest = 1ms;
    options.attempts = 2;
    options.credentials = credentials_;
    return options;
  }
  // "(nothing)", "error: …", or the header.
  std::string renew(const HttpHead& head, const std::string& rejected = "", const std::string& registry = kRegistry) {
    std::optional<Secret> header;
    if (!rejected.empty()) header = Secret(rejected);
    return shown(source_.renewed(kRepository, registry, head, header));
  }
  std::string current() { return shown(source_.current(kRepository)); }
  static std::string shown(const Result<std::optional<Secret>>& result) {
    if (!result) return "error: " + result.error().context();
    return *result ? (*result)->reveal() : "(nothing)";
  }
  std::string authorization(size_t request) const {
    return transport_.requests().at(request).headers.first("Authorization").value_or("(none)");
  }

  const std::shared_ptr<OneAtATime> credentials_ = std::make_shared<OneAtATime>();
  FakeTransport transport_;
  test::FakeClock clock_;
  const ClientOptions options_ = options();
  Caller caller_{transport_};
  Endpoints endpoints_{{"lab.example"}};
  TokenSource source_{caller_, endpoints_, clock_, options_};
};

TEST_F(TokenSourceCredentialsTest, SendsNoPasswordOverPlainHttp) {
  credentials_->held = user("ann", "pw");
  EXPECT_NE(renew(basic(), "", "http://reg.example").find("plain http"), std::string::npos);
  EXPECT_EQ(renew(basic(), "", "http://lab.example"), "Basic YW5uOnB3") << "the user calls it insecure";
  EXPECT_EQ(renew(basic(), "", "http://localhost:5000"), "Basic YW5uOnB3");
}

TEST_F(TokenSourceCredentialsTest, AsksARealmThatIsABareAddressAsNobody) {
  credentials_->held = user("ann", "pw");
  transport_.otherwise({.body = R"({"token": "t"})"});
  EXPECT_EQ(renew(bearer("https://192.0.2.1/token")), "Bearer t");
  EXPECT_EQ(renew(bearer("https://[2001:db8::1]/token")), "Bearer t");
  EXPECT_EQ(authorization(0), "(none)");
  EXPECT_EQ(authorization(1), "(none)");
}

TEST_F(TokenSourceCredentialsTest, TakesNoPasswordAlongWhereTheRealmRedirects) {
  credentials_->held = user("ann", "pw");
  transport_.on(kTokenUrl, {.status = 307, .headers = {{"Location", "https://evil.example/token"}}});
  transport_.on("https://evil.example/token", {.status = 307, .headers = {{"Location", "https://auth.example/back"}}});
  transport_.on("https://auth.example/back", {.body = R"({"token": "t"})"});
  EXPECT_EQ(renew(bearer()), "Bearer t");
  EXPECT_EQ(authorization(0), "Basic YW5uOnB3");
  EXPECT_EQ(authorization(1), "(none)");
  EXPECT_EQ(authorization(2), "(none)");
}

TEST_F(TokenSourceCredentialsTest, PostsNoRefreshTokenWhereTheRealmRedirects) {
  credentials_->held = Credential{
      .username = "", .password = {}, .identity_token = Secret("refresh"), .registry_token = {}, .source = "file"};
  transport_.on(kRealm, {.status = 307, .headers = {{"Location", "https://evil.example/token"}}});
  EXPECT_NE(renew(bearer()).find("evil.example"), std::string::npos);
  EXPECT_EQ(transport_.requests().size(), 1u);
}

TEST_F(TokenSourceCredentialsTest, KnowsWhoseCredentialWasShown) {
  EXPECT_EQ(source_.shown(kRepository).identity, "");
  credentials_->held = user("ann", "pw");
  renew(basic());
  EXPECT_EQ(source_.shown(kRepository).identity, "user ann from file");
  transport_.on(kTokenUrl, {.body = R"({"token": "t"})"});
  renew(bearer());
  EXPECT_EQ(source_.shown(kRepository).identity, "user ann from file");
  EXPECT_EQ(source_.shown({"reg.example", "other"}).identity, "");
  credentials_->held.reset();
  renew(basic());
  EXPECT_EQ(source_.shown(kRepository).identity, "user ann from file") << "the token of its last challenge";
}

TEST_F(TokenSourceCredentialsTest, KnowsTheSecretsThatAnAnswerMightRepeat) {
  credentials_->held = user("ann", "pw");
  transport_.on(kTokenUrl, {.body = R"({"token": "t"})"});
  renew(bearer());
  const std::vector<Secret> secrets = source_.shown(kRepository).secrets;
  for (const char* secret : {"pw", "t"}) {
    EXPECT_NE(std::find(secrets.begin(), secrets.end(), Secret(secret)), secrets.end()) << secret;
  }
}

TEST_F(TokenSourceCredentialsTest, TakesNoAbsenceOfItsTokenServiceForTheAbsenceOfARepository) {
  for (int status : {404, 405, 410}) {
    transport_.on(kTokenUrl, {.status = status});
    Result<std::optional<Secret>> renewed = source_.renewed(kRepository, "https://reg.example", bearer(), std::nullopt);
    ASSERT_FALSE(renewed) << status;
    EXPECT_TRUE(renewed.error().is(Errc::bad_response)) << status;
  }
}

TEST_F(TokenSourceCredentialsTest, AnswersTheBasicChallengeOfTheRootWhereARefusalHasNone) {
  credentials_->held = user("ann", "pw");
  transport_.on("https://reg.example/v2/", {.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"r\""}}});
  HttpHead bare;
  bare.status = 401;
  EXPECT_EQ(renew(bare), "Basic YW5uOnB3");
}

TEST_F(TokenSourceCredentialsTest, CallsNobodyTheUserWhoWasNotShown) {
  credentials_->held = user("ann", "pw");
  transport_.otherwise({.body = R"({"token": "t"})"});
  renew(bearer("https://192.0.2.1/token"));
  EXPECT_EQ(source_.shown(kRepository).identity, "");
}

TEST_F(TokenSourceCredentialsTest, NamesInTheRefusalOfATokenWhoWasRefused) {
  credentials_->held = user("ann", "pw");
  transport_.on(kTokenUrl, {.status = 401, .body = R"({"details": "incorrect username or password"})"});
  const std::string error = renew(bearer());
  EXPECT_NE(error.find("asking for a token: the credentials are not accepted"), std::string::npos) << error;
  EXPECT_NE(error.find("(auth.example: 401 incorrect username or password); used: user ann from file; run 'docker "
                       "login reg.example' again"),
            std::string::npos)
      << error;
}

TEST_F(TokenSourceCredentialsTest, DoesNotSendTheSamePasswordTwice) {
  credentials_->held = user("ann", "wrong");
  const std::string header = renew(basic());
  EXPECT_EQ(renew(basic(), header), "(nothing)");
  EXPECT_EQ(credentials_->refusals, 1);
}

TEST_F(TokenSourceCredentialsTest, HasNothingForBasicWithoutAPassword) {
  EXPECT_EQ(renew(basic()), "(nothing)");
  EXPECT_EQ(current(), "(nothing)");
}

TEST_F(TokenSourceCredentialsTest, FailsWhenItsCredentialsCannotBeTold) {
  credentials_->error = Error{Errc::timed_out, "the helper hangs"};
  EXPECT_EQ(renew(bearer()), "error: the helper hangs");
  EXPECT_TRUE(transport_.requests().empty());
}

TEST_F(TokenSourceCredentialsTest, HasNothingForA403OfTheSameCredential) {
  credentials_->held = user("ann", "pw");
  transport_.on(kTokenUrl, {.body = R"({"token": "t"})"});
  ASSERT_EQ(renew(bearer()), "Bearer t");
  EXPECT_EQ(renew(answer(403), "Bearer t"), "(nothing)");
  EXPECT_EQ(renew(answer(403)), "(nothing)");
  EXPECT_EQ(transport_.requests().size(), 1u);
}

TEST_F(TokenSourceCredentialsTest, AnswersA403WhenThereIsANewPassword) {
  credentials_->held = user("AWS", "expired");
  const std::string old_header = renew(basic());
  credentials_->next = user("AWS", "fresh");
  EXPECT_EQ(renew(answer(403), old_header), "Basic QVdTOmZyZXNo");
  EXPECT_EQ(current(), "Basic QVdTOmZyZXNo");
}

TEST_F(TokenSourceCredentialsTest, AsksARealmAgainWithANewPasswordWhenItRefusesTheOld) {
  credentials_->held = user("ann", "old");
  credentials_->next = user("ann", "new");
  transport_.on(kTokenUrl, {.status = 401});
  transport_.on(kTokenUrl, {.body = R"({"token": "t"})"});
  EXPECT_EQ(renew(bearer()), "Bearer t");
  EXPECT_EQ(authorization(1), "Basic YW5uOm5ldw==");
}

TEST_F(TokenSourceCredentialsTest, AsksARealmOnceWithAPasswordThatIsWrong) {
  credentials_->held = user("ann", "wrong");
  transport_.on(kTokenUrl, {.status = 401});
  EXPECT_NE(renew(bearer()).find("auth.example: 401"), std::string::npos);
  EXPECT_EQ(transport_.requests().size(), 1u);
}

TEST_F(TokenSourceCredentialsTest, RemembersARefusedPasswordForAWhileAndTriesANewOneAtOnce) {
  credentials_->held = user("ann", "wrong");
  const std::string header = renew(basic());
  ASSERT_EQ(renew(basic(), header), "(nothing)");
  EXPECT_EQ(current(), "(nothing)") << "asked as nobody";
  EXPECT_EQ(renew(basic()), "(nothing)");
  clock_.advance(kRefusalKept);
  EXPECT_EQ(current(), header);
  ASSERT_EQ(renew(basic(), header), "(nothing)");
  credentials_->held = user("ann", "right");
  EXPECT_EQ(current(), "Basic YW5uOnJpZ2h0");
}

TEST_F(TokenSourceCredentialsTest, RemembersWhatARealmRefused) {
  credentials_->held = user("ann", "wrong");
  transport_.on(kTokenUrl, {.status = 401});
  transport_.on(kTokenUrl, {.body = R"({"token": "t"})"});
  const std::string refusal = renew(bearer());
  EXPECT_EQ(renew(bearer()), refusal);
  EXPECT_EQ(current(), refusal);
  EXPECT_EQ(transport_.requests().size(), 1u);
  credentials_->held = user("ann", "right");
  EXPECT_EQ(current(), "Bearer t");
}

TEST_F(TokenSourceCredentialsTest, PrefersBearerWhereBothAreOffered) {
  credentials_->held = user("ann", "pw");
  transport_.on(kTokenUrl, {.body = R"({"token": "t"})"});
  HttpHead both = basic();
  both.headers.add("WWW-Authenticate", "BEARER Realm=\"" + kRealm + "\", service=reg, scope=s");
  EXPECT_EQ(renew(both), "Bearer t");
  EXPECT_EQ(authorization(0), "Basic YW5uOnB3");
}

TEST_F(TokenSourceCredentialsTest, SendsThePasswordUnaskedFromTheSecondRequestOn) {
  credentials_->held = user("ann", "pw");
  EXPECT_EQ(current(), "(nothing)");
  ASSERT_EQ(renew(basic()), "Basic YW5uOnB3");
  EXPECT_EQ(current(), "Basic YW5uOnB3");
}

TEST_F(TokenSourceCredentialsTest, PostsARefreshTokenAndNeverPutsItInAUrl) {
  credentials_->held = Credential{
      .username = "", .password = {}, .identity_token = Secret("re fresh&"), .registry_token = {}, .source = "file"};
  transport_.on(kRealm, {.body = R"({"access_token": "t"})"});
  EXPECT_EQ(renew(bearer()), "Bearer t");
  const HttpRequest request = transport_.requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, kRealm);
  EXPECT_EQ(request.body, "grant_type=refresh_token&client_id=regfs&scope=s&service=reg&refresh_token=re%20fresh%26");
  EXPECT_EQ(request.headers.first("Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_FALSE(request.headers.first("Authorization"));
}

TEST_F(TokenSourceCredentialsTest, ShowsTheRefreshTokenThatItWasGivenLast) {
  credentials_->held = Credential{
      .username = "", .password = {}, .identity_token = Secret("filed"), .registry_token = {}, .source = "file"};
  transport_.on(kRealm, {.body = R"({"access_token": "t1", "refresh_token": "second"})"});
  transport_.on(kRealm, {.body = R"({"access_token": "t2", "refresh_token": "third"})"});
  transport_.on(kRealm, {.body = R"({"access_token": "t3"})"});
  transport_.on(kRealm, {.status = 400, .body = R"({"error": "invalid_grant"})"});
  transport_.on(kRealm, {.body = R"({"access_token": "t4"})"});
  EXPECT_EQ(renew(bearer()), "Bearer t1");
  EXPECT_EQ(renew(bearer(), "Bearer t1"), "Bearer t2");
  EXPECT_EQ(renew(bearer(), "Bearer t2"), "Bearer t3");
  EXPECT_EQ(renew(bearer(), "Bearer t3"), "Bearer t4") << "the filed one is still good where the newest is not";
  const std::vector<std::string> wanted{"filed", "second", "third", "third", "filed"};
  const std::vector<HttpRequest> requests = transport_.requests();
  ASSERT_EQ(requests.size(), wanted.size());
  for (size_t each = 0; each < wanted.size(); ++each) {
    EXPECT_TRUE(requests[each].body.ends_with("&refresh_token=" + wanted[each])) << each << ": " << requests[each].body;
  }
}

TEST_F(TokenSourceCredentialsTest, ShowsARenewedRefreshTokenToNoOtherRealmAndForNoOtherLogin) {
  credentials_->held = Credential{
      .username = "", .password = {}, .identity_token = Secret("filed"), .registry_token = {}, .source = "file"};
  transport_.on(kRealm, {.body = R"({"access_token": "t1", "refresh_token": "second"})"});
  EXPECT_EQ(renew(bearer()), "Bearer t1");
  transport_.on("https://other.example/token", {.body = R"({"access_token": "o"})"});
  EXPECT_EQ(renew(bearer("https://other.example/token"), "Bearer t1"), "Bearer o");
  EXPECT_TRUE(transport_.requests().back().body.ends_with("&refresh_token=filed"));
  credentials_->held->identity_token = Secret("new-login");
  EXPECT_EQ(renew(bearer(), "Bearer t1"), "Bearer t1");
  EXPECT_TRUE(transport_.requests().back().body.ends_with("&refresh_token=new-login"));
}

TEST_F(TokenSourceCredentialsTest, GetsATokenWhereTheRealmKnowsNoPost) {
  credentials_->held = Credential{
      .username = "u", .password = {}, .identity_token = Secret("refresh"), .registry_token = {}, .source = "file"};
  transport_.on(kRealm, {.status = 404});
  transport_.on(kTokenUrl, {.body = R"({"token": "t"})"});
  EXPECT_EQ(renew(bearer()), "Bearer t");
  EXPECT_EQ(authorization(1), "Basic dTpyZWZyZXNo");
}

TEST_F(TokenSourceCredentialsTest, SendsARegistryTokenAsItStands) {
  credentials_->held = Credential{
      .username = "", .password = {}, .identity_token = {}, .registry_token = Secret("ready"), .source = "file"};
  EXPECT_EQ(renew(bearer()), "Bearer ready");
  EXPECT_TRUE(transport_.requests().empty());
}

TEST_F(TokenSourceCredentialsTest, AnswersABasicChallengeToAnAgedTokenWithThePassword) {
  credentials_->held = user("ann", "pw");
  transport_.on(kTokenUrl, {.body = R"({"token": "t"})"});
  ASSERT_EQ(renew(bearer()), "Bearer t");
  EXPECT_EQ(renew(basic(), "Bearer t"), "Basic YW5uOnB3");
}

TEST_F(TokenSourceCredentialsTest, AnswersABasicChallengeToAnAgedTokenOfNobodyWithANewToken) {
  transport_.on(kTokenUrl, {.body = R"({"token": "t"})"});
  transport_.on(kTokenUrl, {.body = R"({"token": "u"})"});
  ASSERT_EQ(renew(bearer()), "Bearer t");
  EXPECT_EQ(renew(basic(), "Bearer t"), "Bearer u");
}

TEST_F(TokenSourceCredentialsTest, LearnsTheChallengeFromTheRootWhereARequestGotNone) {
  transport_.on(kRegistry + "/v2/",
                {.status = 401, .headers = {{"WWW-Authenticate", "Bearer realm=\"" + kRealm + "\",service=\"reg\""}}});
  transport_.on(kRealm + "?service=reg&scope=repository%3Aacme%2Fapi%3Apull", {.body = R"({"token": "t"})"});
  EXPECT_EQ(renew(answer(401)), "Bearer t");
}

TEST_F(TokenSourceCredentialsTest, AsksForTheScopeThatATokenLacked) {
  transport_.on(kTokenUrl, {.body = R"({"token": "t"})"});
  transport_.on(kRealm + "?service=reg&scope=more", {.body = R"({"token": "wide"})"});
  ASSERT_EQ(renew(bearer()), "Bearer t");
  EXPECT_EQ(
      renew(answer(401, "Bearer realm=\"" + kRealm + "\",service=\"reg\",scope=\"more\",error=\"insufficient_scope\""),
            "Bearer t"),
      "Bearer wide");
}

TEST_F(TokenSourceCredentialsTest, AsksOnceForAScopeThatIsNotForUs) {
  transport_.on(kTokenUrl, {.body = R"({"token": "t", "expires_in": 300})"});
  transport_.on(kTokenUrl, {.body = R"({"token": "u", "expires_in": 300})"});
  const HttpHead lacking =
      answer(401, "Bearer realm=\"" + kRealm + "\",service=\"reg\",scope=\"s\",error=\"insufficient_scope\"");
  ASSERT_EQ(renew(bearer()), "Bearer t");
  EXPECT_EQ(renew(lacking, "Bearer t"), "(nothing)");
  EXPECT_EQ(transport_.requests().size(), 1u);
  clock_.advance(kFreshToken);
  EXPECT_EQ(renew(lacking, "Bearer t"), "Bearer u") << "it may have been granted since";
}

TEST_F(TokenSourceCredentialsTest, GivesTheTokenOfOneCredentialToNoOther) {
  credentials_->held = user("ann", "pw");
  transport_.on(kTokenUrl, {.body = R"({"token": "anns"})"});
  transport_.on(kTokenUrl, {.body = R"({"token": "bobs"})"});
  ASSERT_EQ(renew(bearer()), "Bearer anns");
  credentials_->held->source = "another entry";
  EXPECT_EQ(shown(source_.renewed({"reg.example", "other"}, kRegistry, bearer(), std::nullopt)), "Bearer bobs");
}

}  // namespace
}  // namespace regfs::registry::token_source_credentials_test
