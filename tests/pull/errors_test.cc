// SPDX-License-Identifier: MIT
// What goes wrong at the registry: an exit code for programs, a sentence for people, and no file.
#include "tests/pull/pull_fixture.h"
#include "tests/support/rude_answers.h"

namespace regfs::test::errors_test {
namespace {

class PullErrors : public PullTest {
 protected:
  void SetUp() override { registry_.push("app", "1.27", image_); }

  void expect_failure(const std::string& name, int status, const std::vector<std::string>& words) {
    SCOPED_TRACE(name);
    expect_refusal({"--platform", "linux/amd64", name}, status, words);
    EXPECT_TRUE(files().empty());
  }
  void break_tag(Fault fault) { registry_.break_path(FakeRegistry::manifest_path("app", "1.27"), std::move(fault)); }

  const SampleImage image_ = make_image({.layers = {seeded_layer(1, 300'000), seeded_layer(2, 5'000)}});
};

TEST_F(PullErrors, NameTheImageOnce) {
  registry_.refuse_connections();
  const std::string said = pull({name_of("app", "1.27")}).error;
  const std::string name = name_of("app", "1.27");
  EXPECT_TRUE(contains(said, name + ": "));
  EXPECT_EQ(said.find(name, said.find(name) + 1), std::string::npos) << said;
}

TEST_F(PullErrors, UnauthorizedIsDeniedAndSaysHowToLogIn) {
  break_tag(answers(401));
  expect_failure(name_of("app", "1.27"), kDenied, {name_of("app", "1.27"), "--username", "docker login"});
}

TEST_F(PullErrors, ForbiddenIsDeniedWithTheRegistrysWords) {
  break_tag(answers(403));
  expect_failure(name_of("app", "1.27"), kDenied, {name_of("app", "1.27"), "this path is broken on purpose"});
}

TEST_F(PullErrors, AnUnknownTagIsNotFoundAndTheClosestOnesAreNamed) {
  registry_.list_names("app", {"1.26", "1.25-alpine", "nightly"});
  expect_failure(name_of("app", "1.28"), kNotFound, {name_of("app", "1.28"), "closest", "1.27", "1.26"});
}

TEST_F(PullErrors, AnUnknownRepositoryIsNotFound) {
  expect_failure(name_of("nothing/here"), kNotFound, {name_of("nothing/here")});
}

TEST_F(PullErrors, AnUnknownDigestIsNotFound) {
  const std::string name = registry_.host() + "/app@" + image_.layers[0].digest.str();
  expect_failure(name, kNotFound, {name});
}

// They are tried again for a while: side by side, so that the test takes no longer than one.
TEST_F(PullErrors, WhatMayPassIsTryLater) {
  const std::vector<std::pair<int, std::string>> cases{{429, "too many requests"}, {500, "500"}, {503, "503"}};
  std::vector<std::unique_ptr<Pulling>> pulls;
  for (const auto& [status, word] : cases) {
    const std::string tag = std::to_string(status);
    registry_.break_path(FakeRegistry::manifest_path("app", tag), answers(status));
    pulls.push_back(start({"--no-cache", name_of("app", tag)}));
  }
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(pulls[i]->end(), kTryLater) << pulls[i]->said();
    EXPECT_TRUE(contains(pulls[i]->said(), name_of("app", std::to_string(cases[i].first))));
    EXPECT_TRUE(contains(pulls[i]->said(), cases[i].second));
  }
  EXPECT_TRUE(files().empty());
}

TEST_F(PullErrors, ALimitThatIsReachedIsToldAtOnceInTheRegistrysWordsAndHowToRaiseIt) {
  break_tag(rewrites([](const ScriptedExchange&, RawAnswer& answer) {
    answer.line = "HTTP/1.1 429 Too Many Requests";
    answer.set_body(R"({"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]})");
    answer.set("Retry-After", "7200").set("ratelimit-limit", "100;w=21600").set("ratelimit-remaining", "0;w=21600");
  }));
  const std::string name = name_of("app", "1.27");
  const Pulled pulled = pull({"--platform", "linux/amd64", name});
  EXPECT_EQ(pulled.status, kTryLater);
  for (const std::string& words :
       {name + ": too many requests: 100 requests in 6 h are allowed (" + registry_.host() +
            ": 429 TOOMANYREQUESTS "
            "\"You have reached your pull rate limit.\")",
        std::string(
            "; used: anonymous; it asks to wait for 2 h, longer than --timeout, which is 30 s; run 'docker login "),
        std::string("none are left")}) {
    EXPECT_TRUE(contains(pulled.error, words));
  }
  EXPECT_LE(registry_.journal().count("", "/manifests/"), 2u);
}

TEST_F(PullErrors, ARefusedConnectionIsUnavailable) {
  registry_.refuse_connections();
  expect_failure(name_of("app", "1.27"), kUnavailable, {"cannot connect", registry_.host()});
}

TEST_F(PullErrors, ANameThatDoesNotResolveIsUnavailable) {
  expect_failure("registry.invalid/app:1", kUnavailable, {"registry.invalid"});
}

TEST_F(PullErrors, AWebServerIsNoRegistry) {
  registry_.break_path("/*", answers_html());
  expect_failure(name_of("app", "1.27"), kNotARegistry, {name_of("app", "1.27")});
}

TEST_F(PullErrors, AManifestThatIsNoJsonIsBadData) {
  registry_.put_manifest("bad", "latest", image_.media_type, "{\"schemaVersion\": 2, ");
  expect_failure(name_of("bad"), kBadData, {name_of("bad")});
}

TEST_F(PullErrors, AManifestWithoutLayersIsBadData) {
  registry_.put_manifest("bad", "latest", image_.media_type,
                         R"({"schemaVersion": 2, "mediaType": ")" + image_.media_type + R"("})");
  expect_failure(name_of("bad"), kBadData, {name_of("bad")});
}

TEST_F(PullErrors, APlatformThatIsNotThereListsThoseThatAre) {
  registry_.push("multi", "latest", multi_platform(7, 40'000));
  expect_refusal({"--platform", "windows/amd64", name_of("multi")}, kNotFound,
                 {"windows/amd64", "linux/amd64", "linux/arm64", "linux/arm/v7", "--platform"});
  EXPECT_TRUE(files().empty());
}

TEST_F(PullErrors, APlatformThatStandsInForAnotherIsTold) {
  const SampleImage v6 = make_image({.layers = {seeded_layer(9, 40'000)}, .platform = {"linux", "arm", "v6"}});
  registry_.push("pi", "latest", make_index({v6, image_}));
  const Pulled pulled = pull({"--platform", "linux/arm/v7", "-o", "a.tar", name_of("pi")});
  EXPECT_EQ(pulled.status, 0);
  EXPECT_TRUE(contains(pulled.error, "has no linux/arm/v7; taking linux/arm/v6"));
  EXPECT_TRUE(is_archive(in("a.tar"), model_of(v6, "pi")));
}

TEST_F(PullErrors, ThisMachinesPlatformIsTheDefault) {
  const std::string machine = run({"uname", "-m"}).output;
  const size_t mine = machine == "x86_64\n" ? 0 : machine == "aarch64\n" ? 1 : 2;
  if (mine == 2) GTEST_SKIP() << "the sample images are not for " << machine;
  const SampleIndex index = multi_platform(7, 40'000);
  registry_.push("multi", "latest", index);
  const Pulled pulled = pull({"-o", "a.tar", name_of("multi")});
  ASSERT_EQ(pulled.status, 0) << pulled.error;
  EXPECT_TRUE(is_archive(in("a.tar"), model_of(index.images[mine], "multi")));
}

TEST_F(PullErrors, OneOfThreeImagesFailsAndTheOthersAreThere) {
  const std::vector<std::string> images{name_of("app", "1.27"), name_of("app", "nope"), name_of("more")};
  registry_.push("more", "latest", image_);
  std::vector<std::string> arguments{"--platform", "linux/amd64"};
  arguments.insert(arguments.end(), images.begin(), images.end());
  const Pulled pulled = pull(arguments);
  EXPECT_EQ(pulled.status, kNotFound);
  EXPECT_TRUE(contains(pulled.error, images[1]));
  std::string host = registry_.host();
  std::replace(host.begin(), host.end(), ':', '_');
  EXPECT_TRUE(is_archive(in(host + "_app_1.27_linux-amd64.tar"), model_of(image_, "app", "1.27")));
  EXPECT_TRUE(is_archive(in(host + "_more_latest_linux-amd64.tar"), model_of(image_, "more")));
  EXPECT_EQ(files().size(), 2u);
}

TEST_F(PullErrors, TheFirstFailureOfSeveralIsTheExitCode) {
  break_tag(answers(403));
  EXPECT_EQ(pull({name_of("app", "nope"), name_of("app", "1.27")}).status, kNotFound);
  EXPECT_EQ(pull({name_of("app", "1.27"), name_of("app", "nope")}).status, kDenied);
}

TEST_F(PullErrors, ARegistryThatLeavesIsNotMissedWhenAllIsCached) {
  const std::vector<std::string> arguments{"--platform", "linux/amd64", "-o", "a.tar", name_of("app", "1.27")};
  ASSERT_EQ(pull(arguments).status, 0);
  std::filesystem::remove(in("a.tar"));
  registry_.refuse_connections();
  const Pulled pulled = pull(arguments);
  EXPECT_EQ(pulled.status, 0) << pulled.error;
  EXPECT_TRUE(contains(pulled.error, "warning: "));
  EXPECT_TRUE(contains(pulled.error, "last known"));
  EXPECT_TRUE(is_archive(in("a.tar"), model_of(image_, "app", "1.27")));
}

TEST_F(PullErrors, ARegistryThatLeavesIsWarnedOfOnce) {
  const std::vector<std::string> arguments{"--platform", "linux/amd64", "-o", "a.tar", name_of("app", "1.27")};
  ASSERT_EQ(pull(arguments).status, 0);
  registry_.refuse_connections();
  const std::string said = pull(arguments).error;
  const size_t first = said.find("last known");
  ASSERT_NE(first, std::string::npos) << said;
  EXPECT_EQ(said.find("last known", first + 1), std::string::npos) << said;
}

}  // namespace
}  // namespace regfs::test::errors_test
