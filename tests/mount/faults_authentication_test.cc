// SPDX-License-Identifier: MIT
// Where credentials may not go and what tokens may not be, row by row of the list of faults: A6, A8, A12, A13, A18,
// A19, A24, A26 and A27. Sources of credentials, helpers and redirects stand in credentials_test.cc and auth_test.cc,
// foreign layers (A17) in foreign_layers_test.cc.
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <fstream>

#include "base/unique_fd.h"
#include "tests/mount/mount_fixture.h"
#include "tests/support/http_server.h"
#include "tests/support/rude_answers.h"

namespace regfs::test::faults_authentication_test {
namespace {

const FakeLogin kAnn{"ann", "hunter2-is-secret"};

class AuthenticationFaults : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (IsSkipped()) return;
    for (const char* const repository : {"acme/api", "acme/web"}) registry_.push(repository, "latest", image_);
  }
  MountSpec logged_in() const {
    std::ofstream(scratch_ / "config.json")
        << R"({"auths": {")" << registry_.host() << R"(": {"auth": ")" << basic_header(kAnn).substr(6) << R"("}}})";
    return {.environment = {"DOCKER_CONFIG=" + scratch_.path()}};
  }
  testing::AssertionResult reads(const MountedRegfs& mount, const std::string& repository = "acme/api") const {
    const ReadOutcome got = read_file(tar_of(mount, repository, "latest"));
    if (got.error != 0) return testing::AssertionFailure() << strerrorname_np(got.error) << "\n" << mount.log();
    return same_bytes(got.bytes, model_of(image_, repository, "latest").bytes());
  }
  int error_of(const MountedRegfs& mount) const {
    return list_directory(mount / registry_.host() / "acme" / "api").error;
  }
  static size_t authorized(const FakeRegistry& registry) {
    const std::vector<JournalEntry> asked = registry.journal().entries();
    return static_cast<size_t>(
        std::count_if(asked.begin(), asked.end(), [](const auto& entry) { return entry.authorized || entry.cookie; }));
  }
  static Fault token_service_says(const std::string& body) {
    return rewrites([body](const ScriptedExchange&, RawAnswer& answer) {
      answer = RawAnswer{};
      answer.set_body(body);
    });
  }

  const SampleImage image_ = make_image({.layers = {seeded_layer(1, 300'000)}});
  const TempDir scratch_;
};

TEST_F(AuthenticationFaults, A6_ATokenOfOneRepositoryIsShownForNoOther) {
  registry_.require_token();
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(reads(mount, "acme/api"));
  EXPECT_TRUE(reads(mount, "acme/web"));
  for (const JournalEntry& entry : registry_.journal().entries()) {
    const bool is_web = entry.path.find("/acme/web/") != std::string::npos;
    const std::string other = is_web ? "acme-api" : "acme-web";
    EXPECT_EQ(entry.authorization.find(other), std::string::npos) << entry.path;
  }
}

TEST_F(AuthenticationFaults, A8_ARegistryThatRefusesEveryTokenIsAskedAFewTimes) {
  registry_.require_token();
  registry_.break_path("/v2/*", rewrites([this](const ScriptedExchange&, RawAnswer& answer) {
                         answer = RawAnswer{.line = "HTTP/1.1 401 Unauthorized"};
                         answer.set("WWW-Authenticate", "Bearer realm=\"http://" + registry_.host() + "/token\"");
                         answer.set_body("");
                       }));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(error_of(mount), EACCES);
  // A tag and a list of two repositories, each at most three times, and once more for the words of the tag.
  EXPECT_LE(registry_.journal().count("", "/acme/manifests/api"), 8u);
  EXPECT_LE(registry_.journal().count("", "/acme/api/tags/list"), 6u);
}

TEST_F(AuthenticationFaults, A12_ARedirectAwayAndBackShowsNothingOnTheWay) {
  registry_.require_basic(kAnn);
  FakeRegistry other;
  const Digest& layer = image_.layers[0].digest;
  registry_.redirect_path(FakeRegistry::blob_path("acme/api", layer), "http://" + other.host() + "/away?sig=1");
  other.redirect_path("/away", "http://" + registry_.host() + FakeRegistry::blob_path("acme/web", layer));
  const MountedRegfs mount(logged_in());
  REGFS_ASSERT_MOUNTED(mount);
  const ReadOutcome got = read_file(tar_of(mount, "acme/api", "latest"));
  EXPECT_TRUE(got.error == 0 || got.error == EACCES) << mount.log();
  if (got.error == 0) {
    EXPECT_TRUE(same_bytes(got.bytes, model_of(image_, "acme/api", "latest").bytes()));
  }
  EXPECT_GE(other.journal().count("GET", "/away"), 1u);
  EXPECT_EQ(authorized(other), 0u);
}

// A network of its own for this thread and what it starts, with an address that is not loopback's.
class PrivateNetwork {
 public:
  PrivateNetwork() {
    made_ = ::unshare(CLONE_NEWNET) == 0 && run({"ip", "link", "set", "lo", "up"}).status == 0 &&
            run({"ip", "address", "add", std::string(kAddress) + "/32", "dev", "lo"}).status == 0;
  }
  ~PrivateNetwork() { ::setns(before_.get(), CLONE_NEWNET); }
  PrivateNetwork(const PrivateNetwork&) = delete;
  PrivateNetwork& operator=(const PrivateNetwork&) = delete;

  static constexpr const char* kAddress = "192.0.2.7";  // of RFC 5737, for examples
  bool made() const { return made_; }

 private:
  const UniqueFd before_{::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)};
  bool made_ = false;
};

TEST_F(AuthenticationFaults, A13_ARealmOverPlainHttpOnAnotherHostIsNotAsked) {
  const PrivateNetwork network;
  if (!network.made()) GTEST_SKIP() << "no network namespace can be made here, or 'ip' is missing";
  std::atomic<int> asked = 0;
  const HttpServer realm(
      [&asked](HttpConnection& connection, const HttpServerRequest&) {
        ++asked;
        return connection.send("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"token\":\"t\"}");
      },
      PrivateNetwork::kAddress);
  FakeRegistry registry;
  registry.push("acme/api", "latest", image_);
  registry.require_token();
  registry.set_realm("http://" + std::string(PrivateNetwork::kAddress) + ":" + std::to_string(realm.port()) + "/token");
  std::ofstream(scratch_ / "config.json")
      << R"({"auths": {")" << registry.host() << R"(": {"auth": ")" << basic_header(kAnn).substr(6) << R"("}}})";
  const MountedRegfs mount({.environment = {"DOCKER_CONFIG=" + scratch_.path()}});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(list_directory(mount / registry.host() / "acme" / "api").error, EIO) << mount.log();
  EXPECT_EQ(asked, 0);
  EXPECT_NE(mount.log().find("which is not https: refused"), std::string::npos) << mount.log();
}

TEST_F(AuthenticationFaults, A18_WhatIsNoTokenIsAnErrorAndTheNextOneHelps) {
  registry_.require_token();
  for (const char* const body : {"<html><body>Sign in</body></html>", "", "{}", "[]", R"({"token":7})", "null"}) {
    registry_.break_path("/token", token_service_says(body));
    const MountedRegfs mount;
    REGFS_ASSERT_MOUNTED(mount);
    EXPECT_NE(error_of(mount), 0) << body;
    registry_.mend("/token");
    EXPECT_TRUE(eventually(kAfterFailureMemory, [&] { return reads(mount); })) << body;
  }
}

TEST_F(AuthenticationFaults, A18_ATokenServiceThatNeverAnswersIsATimeOut) {
  registry_.require_token();
  registry_.break_path("/token", holds());
  const MountedRegfs mount({.arguments = {"--lookup-timeout", "1", "--list-timeout", "2"}});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(error_of(mount), ETIMEDOUT);
  registry_.mend("/token");
  EXPECT_TRUE(eventually(kAfterFailureMemory, [&] { return reads(mount); }));
}

TEST_F(AuthenticationFaults, A19_OfSeveralChallengesInOddWordsTheOneThatCanBeAnsweredIs) {
  registry_.require_token();
  const std::string realm = "\"http://" + registry_.host() + "/token\"";
  const std::vector<std::vector<std::string>> forms{
      {"Negotiate", "bEaReR ReAlM=" + realm + " , SERVICE=\"fake\""},
      {"Basic realm=\"a, b\", BEARER realm=" + realm + ",service=fake"},
      {"Negotiate YWJj==, NTLM, Bearer   realm=" + realm + ",service=\"f\\\"ake\""},
      {"garbage=\"", "Bearer service=\"fake\",realm=" + realm}};
  for (const std::vector<std::string>& form : forms) {
    registry_.break_path("/v2/*", rewrites([form](const ScriptedExchange&, RawAnswer& answer) {
                           if (!answer.field("WWW-Authenticate")) return;
                           answer.remove("WWW-Authenticate");
                           for (const std::string& challenge : form) answer.add("WWW-Authenticate", challenge);
                         }));
    const MountedRegfs mount;
    REGFS_ASSERT_MOUNTED(mount);
    EXPECT_TRUE(reads(mount)) << form.front();
  }
}

TEST_F(AuthenticationFaults, A24_ANameThatIsNoHostReachesNeitherAHelperNorTheNetwork) {
  const std::string helper = scratch_ / "docker-credential-spy";
  std::ofstream(helper) << "#!/bin/sh\ncat >> " + scratch_.path() + "/asked\necho '{}'\n";
  ::chmod(helper.c_str(), 0755);
  std::ofstream(scratch_ / "config.json") << R"({"credsStore": "spy"})";
  const MountedRegfs mount(
      {.environment = {"DOCKER_CONFIG=" + scratch_.path(), "PATH=" + scratch_.path() + ":/usr/bin:/bin"}});
  REGFS_ASSERT_MOUNTED(mount);
  for (const std::string& name :
       {"evil.example\nhost=" + registry_.host(), std::string("ann:hunter2@evil.example"),
        std::string("-oProxyCommand=x.y"), std::string("evil.example?a=b"), std::string("evil.example#x"),
        std::string("evil.example\r"), std::string("evil .example"), std::string("evil.example:99999999")}) {
    EXPECT_EQ(stat_error(mount / name), ENOENT) << name;
    EXPECT_EQ(stat_error(mount / name / "acme" / "api"), ENOENT) << name;
  }
  EXPECT_EQ(text_file(scratch_ / "asked"), "");
  EXPECT_TRUE(registry_.journal().entries().empty());
}

TEST_F(AuthenticationFaults, A26_TheCredentialOfOneRegistryIsNeverShownToAnotherNorForIt) {
  registry_.require_token_of(kAnn);
  FakeRegistry other;
  other.push("acme/api", "latest", image_);
  other.require_token();
  other.set_realm("http://" + registry_.host() + "/token");
  const MountedRegfs mount(logged_in());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(list_directory(mount / other.host() / "acme" / "api").error, EACCES) << mount.log();
  EXPECT_GE(registry_.journal().count("", "/token"), 1u);
  EXPECT_EQ(authorized(registry_), 0u) << "for another registry its token service is asked as nobody";
  EXPECT_TRUE(reads(mount));
  EXPECT_EQ(list_directory(mount / other.host() / "acme" / "api").error, EACCES);
  EXPECT_EQ(authorized(other), 0u);
}

TEST_F(AuthenticationFaults, A27_WhatStandsInNetrcIsNotUsed) {
  registry_.require_basic(kAnn);
  std::ofstream(scratch_ / ".netrc") << "machine 127.0.0.1 login ann password " << kAnn.password << "\n"
                                     << "default login ann password " << kAnn.password << "\n";
  ::chmod((scratch_ / ".netrc").c_str(), 0600);
  const MountedRegfs mount({.environment = {"HOME=" + scratch_.path(), "NETRC=" + (scratch_ / ".netrc")}});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(error_of(mount), EACCES);
  EXPECT_EQ(authorized(registry_), 0u);
}

}  // namespace
}  // namespace regfs::test::faults_authentication_test
