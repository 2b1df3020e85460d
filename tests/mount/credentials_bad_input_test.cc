// SPDX-License-Identifier: MIT
// Credentials and challenges that are wrong: the file, the key or the header is named, what regfs did instead is told,
// and no secret is shown.
#include <fstream>

#include "tests/mount/mount_fixture.h"
#include "tests/support/rude_answers.h"

namespace regfs::test::credentials_bad_input_test {
namespace {

class CredentialsBadInput : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (IsSkipped()) return;
    registry_.push("acme/api", "latest", image_);
  }
  MountSpec with_config(const std::string& text) const {
    std::ofstream(scratch_ / "config.json") << text;
    return {.environment = {"DOCKER_CONFIG=" + scratch_.path()}};
  }
  testing::AssertionResult reads(const MountedRegfs& mount) const {
    const ReadOutcome got = read_file(tar_of(mount, "acme/api", "latest"));
    if (got.error != 0) return testing::AssertionFailure() << strerrorname_np(got.error) << "\n" << mount.log();
    return same_bytes(got.bytes, model_of(image_, "acme/api", "latest").bytes());
  }
  // What the registry says to whoever has no token.
  Fault challenges(const std::string& header) const {
    return rewrites([header](const ScriptedExchange&, RawAnswer& answer) {
      answer = RawAnswer{.line = "HTTP/1.1 401 Unauthorized"};
      answer.set("WWW-Authenticate", header).set_body(R"({"errors":[{"code":"UNAUTHORIZED","message":"log in"}]})");
    });
  }
  Fault gives_token(const std::string& token) const {
    return rewrites([token](const ScriptedExchange&, RawAnswer& answer) {
      answer = RawAnswer{};
      answer.set_body(R"({"token":")" + token + "\"}");
    });
  }

  const SampleImage image_ = make_image({.layers = {seeded_layer(1, 300'000)}});
  const TempDir scratch_;
};

TEST_F(CredentialsBadInput, AnEntryThatIsNoneIsNamedByItsFileAndKeyAndLeftOut) {
  registry_.require_token();
  const std::string host = registry_.host();
  const std::vector<std::pair<std::string, std::string>> cases{
      {R"({"auth": "hunter2 is no base64"})", "has an 'auth' that is not base64"},
      {R"({"auth": "aHVudGVyMg=="})", "has an 'auth' that is not base64 of USER:PASSWORD"},
      {R"({"auth": 7})", "has an 'auth' that is no string"},
      {R"({"username": "ann"})", "has a user without a password"},
      {R"("hunter2")", "is a string, not an object"}};
  for (const auto& [entry, problem] : cases) {
    const MountedRegfs mount(with_config(R"({"auths": {")" + host + "\": " + entry + "}}"));
    REGFS_ASSERT_MOUNTED(mount);
    EXPECT_TRUE(reads(mount)) << entry;
    EXPECT_TRUE(contains(mount.log(),
                         (scratch_ / "config.json") + ": the entry of '" + host + "' " + problem + "; it is left out"));
    EXPECT_EQ(mount.log().find("hunter2"), std::string::npos);
    EXPECT_EQ(mount.log().find("aHVudGVyMg"), std::string::npos);
  }
}

TEST_F(CredentialsBadInput, AChallengeThatNobodyUnderstandsIsARefusalThatNamesTheHeader) {
  for (const char* const header : {"Bearer realm=\"http://unclosed", "Bearer", "Bearer service=\"reg\"", "Negotiate",
                                   "=\"", "Bearer realm=\"\", service=\"a\""}) {
    registry_.break_path("/v2/*", challenges(header));
    const MountedRegfs mount;
    REGFS_ASSERT_MOUNTED(mount);
    EXPECT_EQ(list_directory(mount / registry_.host() / "acme" / "api").error, EACCES) << header;
    EXPECT_TRUE(contains(mount.log(), "401 UNAUTHORIZED \"log in\", and its WWW-Authenticate header is not understood"))
        << header;
    EXPECT_EQ(registry_.journal().count("", "/token"), 0u) << header;
    registry_.mend("/v2/*");
    EXPECT_TRUE(eventually(kAfterFailureMemory, [&] { return reads(mount); })) << header;
  }
}

TEST_F(CredentialsBadInput, ATokenOfAMebibyteIsRefused) {
  registry_.require_token();
  registry_.break_path("/token", gives_token(std::string(1 << 20, 't')));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_NE(list_directory(mount / registry_.host() / "acme" / "api").error, 0);
  EXPECT_TRUE(contains(mount.log(), "for a token for acme: the answer is over 1 MiB"));
  registry_.mend("/token");
  EXPECT_TRUE(reads(mount));
}

TEST_F(CredentialsBadInput, ATokenThatWouldForgeAHeaderIsRefusedAndNotShown) {
  registry_.require_token();
  registry_.break_path("/token", gives_token(R"(hunter2\r\nX-Forged: 1)"));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_NE(list_directory(mount / registry_.host() / "acme" / "api").error, 0);
  EXPECT_TRUE(contains(mount.log(), "the token service sent a token that cannot stand in a header"));
  EXPECT_EQ(mount.log().find("hunter2"), std::string::npos);
  for (const JournalEntry& entry : registry_.journal().entries()) EXPECT_FALSE(entry.authorized) << entry.path;
}

}  // namespace
}  // namespace regfs::test::credentials_bad_input_test
