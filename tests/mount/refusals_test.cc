// SPDX-License-Identifier: MIT
// What a registry refuses, as the log tells it: what, why, who said it, as whom it was asked, and what to do.
#include <algorithm>
#include <fstream>

#include "tests/mount/mount_fixture.h"
#include "tests/support/rude_answers.h"

namespace regfs::test::refusals_test {
namespace {

class Refusals : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (IsSkipped()) return;
    registry_.push("acme/api", "v1", image_);
  }
  void refuse(Fault fault) { registry_.break_path(FakeRegistry::manifest_path("acme/api", "v1"), std::move(fault)); }
  // That the tag exists its list says; what is in it only the tag itself.
  int stat_in_tag(const MountedRegfs& mount) const { return stat_error(tar_of(mount, "acme/api", "v1")); }
  // The line of the log that tells of it.
  std::string line_of(const MountedRegfs& mount, const std::string& what = "/acme/api:v1: ") const {
    const std::string log = mount.log();
    const size_t at = log.find(registry_.host() + what);
    if (at == std::string::npos) return "nothing is told of it:\n" + log;
    return log.substr(at, log.find('\n', at) - at);
  }

  const SampleImage image_ = make_image({.layers = {seeded_layer(1, 300'000)}});
};

TEST_F(Refusals, OfEachStatusAreOneSentenceWithItsCauseAndTheNextStep) {
  struct Case {
    int status;
    int error;
    std::string cause;
    std::string step;
  };
  const std::vector<Case> cases{
      {401, EACCES, "credentials needed, or it does not exist", "run 'docker login " + registry_.host() + "'"},
      {403, EACCES, "access denied, or it does not exist", "run 'docker login " + registry_.host() + "'"},
      {429, EBUSY, "too many requests", "to raise the limit"},
      {500, EREMOTEIO, "the server failed", "try again later"},
      {503, EREMOTEIO, "the server failed", "try again later"}};
  for (const Case& each : cases) {
    refuse(answers(each.status));
    const MountedRegfs mount;
    REGFS_ASSERT_MOUNTED(mount);
    EXPECT_EQ(stat_in_tag(mount), each.error) << each.status;
    const std::string line = line_of(mount);
    EXPECT_TRUE(contains(line, each.cause + " (" + registry_.host() + ": " + std::to_string(each.status)));
    EXPECT_TRUE(contains(line, "; used: anonymous; "));
    EXPECT_TRUE(contains(line, each.step));
  }
}

TEST_F(Refusals, Of404AreNoFailureAndNotInTheLog) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(stat_error(mount / registry_.host() / "acme/api" / "v2"), ENOENT);
  EXPECT_EQ(mount.log().find("404"), std::string::npos);
}

TEST_F(Refusals, OfAUserNameHimAndWhereHisPasswordIsFrom) {
  const TempDir scratch;
  std::ofstream(scratch / "auth.json") << R"({"auths": {")" + registry_.host() +
                                              R"(": {"auth": "YW5uOndyb25nLW9uZQ=="}}})";
  registry_.require_basic({"ann", "right-one"});
  const MountedRegfs mount({.arguments = {"--authfile", scratch / "auth.json"}});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(list_directory(mount / registry_.host() / "acme/api").error, EACCES);
  const std::string line = line_of(mount, "/acme/api: ");
  EXPECT_TRUE(contains(line, "the credentials are not accepted, or it does not exist (" + registry_.host() +
                                 ": 401 UNAUTHORIZED \"authentication required\")"));
  EXPECT_TRUE(contains(line, "used: user ann from " + scratch.path() + "/auth.json, entry '" + registry_.host() + "'"));
  EXPECT_EQ(mount.log().find("wrong-one"), std::string::npos);
}

TEST_F(Refusals, ThatAskForALongPauseAreBusyAtOnceAndSaySo) {
  for (const std::string& wait : {std::string("86400"), std::string("Wed, 01 Jan 2200 00:00:00 GMT")}) {
    refuse(answers(429, wait));
    registry_.journal().forget();
    const MountedRegfs mount;
    REGFS_ASSERT_MOUNTED(mount);
    EXPECT_EQ(stat_in_tag(mount), EBUSY) << wait;
    EXPECT_LE(registry_.journal().count("", FakeRegistry::manifest_path("acme/api", "v1")), 2u) << "one for the words";
    const std::string line = line_of(mount);
    EXPECT_TRUE(contains(line, "BROKEN \"this path is broken on purpose\""));
    EXPECT_TRUE(contains(line, "it asks to wait for "));
    EXPECT_TRUE(contains(line, " h, longer than --timeout, which is 30 s; run 'docker login"));
  }
}

TEST_F(Refusals, AreWarnedOfBeforeTheLimitIsReached) {
  registry_.break_path(FakeRegistry::manifest_path("acme/api", "v1"),
                       rewrites([](const ScriptedExchange&, RawAnswer& answer) {
                         answer.add("ratelimit-limit", "100;w=21600").add("ratelimit-remaining", "4;w=21600");
                       }));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(stat_in_tag(mount), 0);
  EXPECT_TRUE(contains(mount.log(), registry_.host() + " allows 100 requests in 6 h, and of these 4 are left; run "));
}

TEST_F(Refusals, WaitAsLongAsARegistryAsksWhereThatIsShort) {
  refuse(answers(429, "1").only(1));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(stat_in_tag(mount), 0);
  EXPECT_EQ(registry_.journal().count("HEAD", FakeRegistry::manifest_path("acme/api", "v1")), 2u);
}

}  // namespace
}  // namespace regfs::test::refusals_test
