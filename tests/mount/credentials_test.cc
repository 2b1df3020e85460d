// SPDX-License-Identifier: MIT
// Every source of a credential through a real mount, where it goes, and where it leaves no trace.
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>

#include "tests/mount/mount_fixture.h"
#include "tests/support/rude_answers.h"

namespace regfs::test::credentials_test {
namespace {

const FakeLogin kAnn{"ann", "hunter2-is-secret"};
const FakeLogin kBob{"bob", "correct-horse"};
const std::string kAnnBase64 = "YW5uOmh1bnRlcjItaXMtc2VjcmV0";
const std::string kBobBase64 = "Ym9iOmNvcnJlY3QtaG9yc2U=";

class CredentialsTest : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (IsSkipped()) return;
    registry_.push("acme/api", "latest", image_);
    registry_.push("acme/web", "latest", image_);
  }

  // A file as docker login writes it; the mount finds it by DOCKER_CONFIG.
  void write_config(const std::string& text) const {
    std::ofstream(scratch_ / "config.new") << text;
    std::filesystem::rename(scratch_ / "config.new", scratch_ / "config.json");
  }
  std::string entry(const std::string& key, const std::string& base64) const {
    return R"({"auths": {")" + key + R"(": {"auth": ")" + base64 + R"("}}})";
  }
  void write_helper(const std::string& script) const {
    const std::string path = scratch_ / "docker-credential-test";
    std::ofstream(path) << "#!/bin/sh\n" << script;
    ::chmod(path.c_str(), 0755);
    write_config(R"({"credHelpers": {")" + registry_.host() + R"(": "test"}})");
  }
  MountSpec with_config() const {
    return {.arguments = {"--log-level", "debug"},
            .environment = {"DOCKER_CONFIG=" + scratch_.path(), "PATH=" + scratch_.path() + ":/usr/bin:/bin"}};
  }
  testing::AssertionResult reads(const MountedRegfs& mount, const std::string& repository = "acme/api") const {
    const ReadOutcome outcome = read_file(tar_of(mount, repository, "latest"));
    if (outcome.error != 0) return testing::AssertionFailure() << strerrorname_np(outcome.error) << "\n" << mount.log();
    return same_bytes(outcome.bytes, model_of(image_, repository, "latest").bytes());
  }
  int error_of(const MountedRegfs& mount, const std::string& repository = "acme/api") const {
    return list_directory(mount / registry_.host() / repository).error;
  }
  // Neither the log nor the cache nor what the system shows of the process.
  static void expect_no_trace(MountedRegfs& mount, const std::vector<std::string>& secrets) {
    const std::string process = "/proc/" + std::to_string(mount.process().pid());
    std::vector<std::string> places{mount.log(), text_file(process + "/cmdline"), text_file(process + "/environ")};
    for (const auto& file : std::filesystem::recursive_directory_iterator(mount.cache_directory())) {
      if (file.is_regular_file()) places.push_back(text_file(file.path().string()) + file.path().string());
    }
    EXPECT_GT(places.size(), 5u);
    for (const std::string& place : places) {
      for (const std::string& secret : secrets) {
        EXPECT_EQ(place.find(secret), std::string::npos) << secret << " in: " << place.substr(0, 2000);
      }
    }
  }
  bool anyone_was_shown(const FakeRegistry& other) const {
    const std::vector<JournalEntry> entries = other.journal().entries();
    return std::any_of(entries.begin(), entries.end(), [](const JournalEntry& entry) {
      return entry.authorized || entry.cookie || entry.query.find("ann") != std::string::npos ||
             entry.query.find("hunter2") != std::string::npos;
    });
  }

  const SampleImage image_ = make_image({.layers = {seeded_layer(1, 3 << 20), seeded_layer(2, 70'000)}});
  const TempDir scratch_;
};

TEST_F(CredentialsTest, AWrongPasswordIsRefusedAndNotTriedUntilTheAccountIsLocked) {
  registry_.require_basic(kAnn);
  write_config(entry(registry_.host(), kBobBase64));
  const MountedRegfs mount(with_config());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(error_of(mount), EACCES);
  const std::vector<JournalEntry> asked = registry_.journal().entries();
  EXPECT_LE(std::count_if(asked.begin(), asked.end(), [](const JournalEntry& each) { return each.authorized; }), 4);
}

TEST_F(CredentialsTest, WithoutACredentialTheRegistryIsAskedAsNobody) {
  registry_.require_basic(kAnn);
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(error_of(mount), EACCES);
  EXPECT_TRUE(contains(mount.log(), "docker login " + registry_.host()));
  EXPECT_FALSE(anyone_was_shown(registry_));
}

TEST_F(CredentialsTest, ABrokenFileIsNamedAndLeavesPublicImagesReadable) {
  write_config("{\"auths\": {\"a\": {\"auth\": \"hunter2-is-secret\"");
  registry_.require_token();
  const MountedRegfs mount(with_config());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(reads(mount));
  EXPECT_TRUE(contains(mount.log(), scratch_ / "config.json: not JSON"));
  EXPECT_EQ(mount.log().find("hunter2"), std::string::npos);
}

TEST_F(CredentialsTest, AHelperThatHangsDeniesItsRegistryAndNoOther) {
  write_helper("exec sleep 600");
  registry_.require_token();
  FakeRegistry other;
  other.push("app", "latest", image_);
  MountSpec spec = with_config();
  spec.arguments.insert(spec.arguments.end(), {"--lookup-timeout", "1", "--list-timeout", "2"});
  const MountedRegfs mount(spec);
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(error_of(mount), ETIMEDOUT);
  EXPECT_EQ(list_directory(mount / other.host() / "app").names, std::vector<std::string>{"latest"});
}

TEST_F(CredentialsTest, AHelperThatPrintsRubbishIsAnErrorThatNamesIt) {
  write_helper("echo hunter2-is-secret");
  registry_.require_token();
  const MountedRegfs mount(with_config());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(error_of(mount), EACCES);
  EXPECT_TRUE(contains(mount.log(), "docker-credential-test printed what is no JSON object"));
  EXPECT_EQ(mount.log().find("hunter2"), std::string::npos);
}

TEST_F(CredentialsTest, AHelperThatKnowsNothingOrIsMissingLeavesPublicImagesReadable) {
  registry_.require_token();
  write_helper("echo 'credentials not found in native keychain'; exit 1");
  {
    const MountedRegfs mount(with_config());
    REGFS_ASSERT_MOUNTED(mount);
    EXPECT_TRUE(reads(mount));
  }
  std::filesystem::remove(scratch_ / "docker-credential-test");
  const MountedRegfs mount(with_config());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(reads(mount));
  EXPECT_TRUE(contains(mount.log(), "there is no program docker-credential-test"));
}

TEST_F(CredentialsTest, ARedirectToAnotherPortIsFollowedWithoutThePassword) {
  registry_.require_basic(kAnn);
  write_config(entry(registry_.host(), kAnnBase64));
  FakeRegistry store;
  store.push("acme/api", "latest", image_);
  registry_.redirect_blobs_to(store.host());
  for (const char* manifest : {"latest"}) {
    registry_.redirect_path(FakeRegistry::manifest_path("acme/web", manifest),
                            "http://" + store.host() + FakeRegistry::manifest_path("acme/api", manifest));
  }
  const MountedRegfs mount(with_config());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(reads(mount));
  EXPECT_EQ(list_directory(mount / registry_.host() / "acme/web" / "latest").error, 0);
  EXPECT_FALSE(store.journal().entries().empty());
  EXPECT_FALSE(anyone_was_shown(store));
}

TEST_F(CredentialsTest, APaginationLinkToAnotherPortIsNotFollowed) {
  registry_.require_basic(kAnn);
  write_config(entry(registry_.host(), kAnnBase64));
  FakeRegistry other;
  other.push("acme/api", "v2", image_);
  registry_.push("acme/api", "v1", image_);
  registry_.set_page_size(1);
  registry_.set_link_host(other.host());
  const MountedRegfs mount(with_config());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_NE(error_of(mount), 0);
  EXPECT_TRUE(other.journal().entries().empty());
}

TEST_F(CredentialsTest, ATokenServiceThatRedirectsAwayTakesNoPasswordAlong) {
  FakeRegistry other;
  other.require_token();
  registry_.require_token_of(kAnn);
  registry_.redirect_path("/token", "http://" + other.host() + "/token?scope=repository%3Aacme%2Fapi%3Apull");
  write_config(entry(registry_.host(), kAnnBase64));
  const MountedRegfs mount(with_config());
  REGFS_ASSERT_MOUNTED(mount);
  error_of(mount);
  EXPECT_FALSE(other.journal().entries().empty());
  EXPECT_FALSE(anyone_was_shown(other));
}

TEST_F(CredentialsTest, ATokenServiceThatIsNoUrlIsAnErrorAndIsNotAsked) {
  write_config(entry(registry_.host(), kAnnBase64));
  for (const char* realm : {"file:///etc/passwd", "word", "http://auth.example/token", "https://u:p@auth.example/"}) {
    registry_.require_token();
    registry_.set_realm(realm);
    const MountedRegfs mount(with_config());
    REGFS_ASSERT_MOUNTED(mount);
    EXPECT_EQ(error_of(mount), EIO) << realm;
    EXPECT_TRUE(contains(mount.log(), "token realm"));
  }
}

TEST_F(CredentialsTest, ATokenServiceThatRedirectsToItselfEnds) {
  registry_.require_token();
  registry_.redirect_path("/token", "http://" + registry_.host() + "/token");
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(error_of(mount), EIO);
  EXPECT_TRUE(contains(mount.log(), "too many redirects"));
}

TEST_F(CredentialsTest, TheUserOfTheCommandLineReadsAPrivateImageAndLeavesNoTrace) {
  registry_.require_basic(kAnn);
  MountedRegfs mount({.arguments = {"--log-level", "debug", "--username", kAnn.username, "--password", kAnn.password},
                      .host = registry_.host()});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(read_file(mount / "acme/api" / "latest" / "linux-amd64.tar").error, 0) << mount.log();
  EXPECT_TRUE(contains(mount.log(), "--password was visible"));
  expect_no_trace(mount, {kAnn.password, kAnnBase64});
}

TEST_F(CredentialsTest, ThePasswordOfTheEnvironmentIsRemovedFromIt) {
  registry_.require_token_of(kAnn);
  MountedRegfs mount({.arguments = {"--log-level", "debug"},
                      .host = registry_.host(),
                      .environment = {"REGFS_USERNAME=" + kAnn.username, "REGFS_PASSWORD=" + kAnn.password}});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(read_file(mount / "acme/api" / "latest" / "linux-amd64.tar").error, 0) << mount.log();
  expect_no_trace(mount, {kAnn.password, kAnnBase64, "token-for-"});
}

TEST_F(CredentialsTest, WhatDockerLoginLeftReadsAPrivateImageAndLeavesNoTrace) {
  registry_.require_token_of(kAnn);
  write_config(entry(registry_.host(), kAnnBase64));
  MountedRegfs mount(with_config());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(reads(mount));
  EXPECT_TRUE(contains(mount.log(), "user ann from " + scratch_.path() + "/config.json, entry '" + registry_.host()));
  expect_no_trace(mount, {kAnn.password, kAnnBase64, "token-for-"});
}

TEST_F(CredentialsTest, AHelpersAnswerReadsAPrivateImageAndLeavesNoTrace) {
  registry_.require_basic(kAnn);
  write_helper("test \"$(cat)\" = " + registry_.host() + " && echo '{\"Username\": \"ann\", \"Secret\": \"" +
               kAnn.password + "\"}'");
  MountedRegfs mount(with_config());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(reads(mount));
  expect_no_trace(mount, {kAnn.password, kAnnBase64});
}

TEST_F(CredentialsTest, AnAuthfileAndItsNamespacesAreUsed) {
  registry_.require_basic(kAnn);
  write_config(R"({"auths": {")" + registry_.host() + R"(/acme": {"auth": ")" + kAnnBase64 + R"("}, ")" +
               registry_.host() + R"(": {"auth": ")" + kBobBase64 + R"("}}})");
  const MountedRegfs mount({.arguments = {"--authfile", scratch_ / "config.json"}});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(reads(mount));
}

TEST_F(CredentialsTest, AFileThatIsRewrittenIsUsedAtTheNext401WithoutARemount) {
  registry_.require_basic(kAnn);
  write_config(entry(registry_.host(), kAnnBase64));
  const MountedRegfs mount(with_config());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(error_of(mount), 0);
  registry_.require_basic(kBob);
  write_config(entry(registry_.host(), kBobBase64));
  EXPECT_TRUE(reads(mount, "acme/web"));
  EXPECT_TRUE(reads(mount));
}

TEST_F(CredentialsTest, AnIdentityTokenIsTradedForTokensByPostAndStandsInNoUrl) {
  registry_.require_token_for("refresh-hunter2");
  write_config(R"({"auths": {")" + registry_.host() +
               R"(": {"auth": "MDAwOg==", "identitytoken": "refresh-hunter2"}}})");
  MountedRegfs mount(with_config());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(reads(mount));
  EXPECT_TRUE(contains(mount.log(), "an identity token from " + scratch_.path() + "/config.json, entry '"));
  for (const JournalEntry& entry : registry_.journal().entries()) {
    EXPECT_EQ(entry.query.find("hunter2"), std::string::npos) << entry.path;
    EXPECT_EQ(entry.authorization.find("hunter2"), std::string::npos) << entry.path;
    EXPECT_EQ(entry.form.find("hunter2") != std::string::npos, entry.path == "/token") << entry.path;
  }
  EXPECT_EQ(registry_.journal().count("", "/token"), registry_.journal().count("POST", "/token"));
  expect_no_trace(mount, {"refresh-hunter2", "token-for-"});
}

TEST_F(CredentialsTest, AnIdentityTokenThatIsRefusedIsAnErrorThatNamesItsFile) {
  registry_.require_token_for("another-one");
  write_config(R"({"auths": {")" + registry_.host() + R"(": {"identitytoken": "refresh-hunter2"}}})");
  const MountedRegfs mount(with_config());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(error_of(mount), EACCES);
  EXPECT_TRUE(contains(mount.log(), "no such refresh token\"); used: an identity token from " + scratch_.path()));
  EXPECT_EQ(mount.log().find("hunter2"), std::string::npos);
}

TEST_F(CredentialsTest, ARegistryTokenIsShownAsItStandsAndNoTokenServiceIsAsked) {
  registry_.require_ready_token("ready-hunter2");
  write_config(R"({"auths": {")" + registry_.host() + R"(": {"registrytoken": "ready-hunter2"}}})");
  MountedRegfs mount(with_config());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(reads(mount));
  EXPECT_EQ(registry_.journal().count("", "/token"), 0u);
  expect_no_trace(mount, {"ready-hunter2"});
}

TEST_F(CredentialsTest, DockerAuthConfigReadsAPrivateImage) {
  registry_.require_token_of(kAnn);
  const MountedRegfs mount({.environment = {"DOCKER_AUTH_CONFIG=" + entry(registry_.host(), kAnnBase64)}});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(reads(mount));
  EXPECT_EQ(mount.log().find(kAnnBase64), std::string::npos);
}

TEST_F(CredentialsTest, TheHttpHeadersOfConfigJsonAreForDockerAndSentToNobody) {
  write_config(
      R"({"HttpHeaders": {"X-Meta-Key": "hunter2", "Authorization": "Basic hunter2", "X-Api-Key": "hunter2"}})");
  std::atomic<int> sent{0};
  registry_.break_path("/*", rewrites([&sent](const ScriptedExchange& exchange, RawAnswer&) {
                         for (const auto& [name, value] : exchange.request.headers) {
                           if (value.find("hunter2") != std::string::npos) ++sent;
                         }
                       }));
  const MountedRegfs mount(with_config());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(reads(mount));
  EXPECT_EQ(sent, 0);
}

TEST_F(CredentialsTest, ASecretOfAnAuthfileStandsInNoErrorThatItCauses) {
  registry_.require_basic(kBob);
  write_config(entry(registry_.host(), kAnnBase64));
  MountedRegfs mount({.arguments = {"--log-level", "debug", "--authfile", scratch_ / "config.json"}});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(error_of(mount), EACCES);
  EXPECT_TRUE(contains(mount.log(), "used: user ann from " + scratch_.path() + "/config.json"));
  EXPECT_EQ(mount.log().find(kAnn.password), std::string::npos);
  EXPECT_EQ(mount.log().find(kAnnBase64), std::string::npos);
}

TEST_F(CredentialsTest, ATokenThatEndsInTheMiddleOfALayerIsRenewedWithoutTheReaderKnowing) {
  registry_.require_token_of(kAnn);
  write_config(entry(registry_.host(), kAnnBase64));
  const std::string layer = FakeRegistry::blob_path("acme/api", image_.layers[0].digest);
  // Half of what the first request asks for comes; then the token is worth nothing any more.
  registry_.break_path(layer, speaks([this](const ScriptedExchange& exchange) {
                                const RawAnswer answer = honest_answer(exchange);
                                exchange.client.send(answer.head() + answer.body.substr(0, answer.body.size() / 2));
                                registry_.expire_tokens();
                                return false;
                              }).only(1));
  const MountedRegfs mount(with_config());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(reads(mount));
  std::vector<int> statuses;
  for (const JournalEntry& each : registry_.journal().entries()) {
    if (each.path == layer) statuses.push_back(each.status);
  }
  ASSERT_FALSE(statuses.empty());
  EXPECT_NE(statuses.front(), 401);
  EXPECT_NE(std::find(statuses.begin(), statuses.end(), 401), statuses.end());
  EXPECT_EQ(registry_.journal().count("", "/token"), 3u) << "for acme and acme/api, and once more";
}

}  // namespace
}  // namespace regfs::test::credentials_test
