// SPDX-License-Identifier: MIT
// Private images by regfs-pull: where the secret comes from, that it opens the registry, and that it leaves no trace.
#include <fstream>

#include "tests/pull/pull_fixture.h"
#include "tests/support/certificates.h"
#include "tests/support/tls_front.h"

namespace regfs::test::credentials_test {
namespace {

const FakeLogin kAnn{"ann", "hunter2-is-secret"};
const std::string kAnnBase64 = "YW5uOmh1bnRlcjItaXMtc2VjcmV0";

class PullCredentials : public PullTest {
 protected:
  void SetUp() override { registry_.push("app", "latest", image_); }

  std::string authfile(const std::string& entry) const {
    std::ofstream(scratch_ / "auth.json") << text_of(entry);
    return scratch_ / "auth.json";
  }
  std::string text_of(const std::string& entry) const {
    return R"({"auths": {")" + registry_.host() + "\": {" + entry + "}}}";
  }
  std::vector<std::string> to_a_tar(std::vector<std::string> options, const std::string& name) const {
    options.insert(options.end(), {"--log-level", "debug", "--platform", "linux/amd64", "-o", "a.tar", name});
    return options;
  }
  void expect_archive(const Pulled& pulled, const std::string& secret) {
    EXPECT_EQ(pulled.status, 0) << pulled.error;
    EXPECT_TRUE(is_archive(in("a.tar"), model_of(image_, "app")));
    expect_no_trace(pulled, secret);
  }
  void expect_no_trace(const Pulled& pulled, const std::string& secret) const {
    EXPECT_EQ(pulled.error.find(secret), std::string::npos) << pulled.error;
    EXPECT_EQ(pulled.output.find(secret), std::string::npos);
    for (const auto& file : std::filesystem::recursive_directory_iterator(cache_)) {
      if (!file.is_regular_file()) continue;
      EXPECT_EQ(text_file(file.path().string()).find(secret), std::string::npos) << file.path();
    }
  }

  const SampleImage image_ = make_image({.layers = {seeded_layer(1, 300'000)}});
};

TEST_F(PullCredentials, AWrongOneOfAnAuthfileIsDeniedAndNamesItsFile) {
  registry_.require_basic({"ann", "another"});
  const std::string file = authfile(R"("auth": ")" + kAnnBase64 + "\"");
  const Pulled pulled = pull(to_a_tar({"--authfile", file}, name_of("app")));
  EXPECT_EQ(pulled.status, kDenied);
  EXPECT_TRUE(contains(pulled.error, "used: user ann from " + file + ", entry '" + registry_.host() + "'"));
  expect_no_trace(pulled, kAnn.password);
  expect_no_trace(pulled, kAnnBase64);
}

TEST_F(PullCredentials, APasswordOfStandardInputIsNeverShown) {
  registry_.require_token_of(kAnn);
  std::ofstream(scratch_ / "password") << kAnn.password << "\n";
  std::vector<std::string> words = command(to_a_tar({"--username", "ann", "--password-stdin"}, name_of("app")));
  std::string line = "exec \"$@\" < " + (scratch_ / "password") + " 2> " + (scratch_ / "said");
  std::vector<std::string> shell{"sh", "-c", line, "sh"};
  shell.insert(shell.end(), words.begin(), words.end());
  const int status = run(shell).status;
  const Pulled pulled{status, "", text_file(scratch_ / "said")};
  expect_archive(pulled, kAnn.password);
  EXPECT_TRUE(contains(pulled.error, "user ann from the command line or environment"));
}

TEST_F(PullCredentials, AnAuthfileOpensARegistry) {
  registry_.require_basic(kAnn);
  expect_archive(pull(to_a_tar({"--authfile", authfile(R"("auth": ")" + kAnnBase64 + "\"")}, name_of("app"))),
                 kAnnBase64);
}

TEST_F(PullCredentials, DockerAuthConfigOpensARegistry) {
  registry_.require_token_of(kAnn);
  const std::string variable = "DOCKER_AUTH_CONFIG=" + text_of(R"("auth": ")" + kAnnBase64 + "\"");
  expect_archive(pull(to_a_tar({}, name_of("app")), {variable}), kAnnBase64);
}

TEST_F(PullCredentials, AnIdentityTokenOpensARegistry) {
  registry_.require_token_for("refresh-hunter2");
  expect_archive(pull(to_a_tar({"--authfile", authfile(R"("identitytoken": "refresh-hunter2")")}, name_of("app"))),
                 "refresh-hunter2");
  EXPECT_GE(registry_.journal().count("POST", "/token"), 1u);
}

TEST_F(PullCredentials, ARegistryTokenOpensARegistry) {
  registry_.require_ready_token("ready-hunter2");
  expect_archive(pull(to_a_tar({"--authfile", authfile(R"("registrytoken": "ready-hunter2")")}, name_of("app"))),
                 "ready-hunter2");
  EXPECT_EQ(registry_.journal().count("", "/token"), 0u);
}

TEST_F(PullCredentials, AnAuthorityOfTheCommandLineIsTrusted) {
  const TestAuthority authority;
  const TlsFront front(authority.issue(), registry_.host());
  std::ofstream(scratch_ / "ca.pem") << authority.certificate_pem();
  const std::string name = front.host() + "/app:latest";
  EXPECT_EQ(pull(to_a_tar({}, name)).status, kNotARegistry) << "nobody trusts it yet";
  const Pulled pulled = pull(to_a_tar({"--ca-cert", scratch_ / "ca.pem"}, name));
  EXPECT_EQ(pulled.status, 0) << pulled.error;
  EXPECT_TRUE(is_archive(in("a.tar"), ArchiveModel(image_, front.host(), "app", "latest")));
}

}  // namespace
}  // namespace regfs::test::credentials_test
