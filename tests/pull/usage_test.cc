// SPDX-License-Identifier: MIT
// Words that cannot be meant: exit code 64, one sentence, and nothing touched.
#include <fstream>

#include "tests/pull/pull_fixture.h"

namespace regfs::test::usage_test {
namespace {

class PullUsage : public PullTest {
 protected:
  void expect_usage(const std::vector<std::string>& arguments, const std::vector<std::string>& words) {
    SCOPED_TRACE(testing::PrintToString(arguments));
    expect_refusal(arguments, kUsage, words);
    EXPECT_FALSE(exists(cache_)) << "the cache directory was made";
    EXPECT_TRUE(files().empty());
    EXPECT_TRUE(registry_.journal().entries().empty());
  }
};

TEST_F(PullUsage, SaysThatTheImageIsMissing) {
  expect_usage({}, {"the image is missing", "regfs-pull --help"});
}

TEST_F(PullUsage, RefusesNamesThatAreNone) {
  expect_usage({registry_.host() + "/App"}, {"lower case", "App"});
  expect_usage({"a:b:c"}, {"a:b"});
  expect_usage({registry_.host() + "/app@sha256:12"}, {"64 hex digits"});
  expect_usage({""}, {});
  expect_usage({"http://" + registry_.host() + "/app"}, {"without a scheme", registry_.host() + "/app"});
  expect_usage({registry_.host() + "/app", registry_.host() + "/App"}, {"App"});
}

TEST_F(PullUsage, RefusesAPlatformThatIsNone) {
  expect_usage({"--platform", "banana", name_of("app")}, {"banana", "linux/arm64"});
  expect_usage({"--platform", "", name_of("app")}, {"--platform"});
}

TEST_F(PullUsage, RefusesOneFileForSeveralImages) {
  expect_usage({"-o", "a.tar", name_of("app"), name_of("other")}, {"-o", "one image"});
  expect_usage({"-o", "-", name_of("app"), name_of("other")}, {"-o", "one image"});
}

TEST_F(PullUsage, RefusesAnEmptyFileName) {
  expect_usage({"-o", "", name_of("app")}, {"--output"});
}

TEST_F(PullUsage, RefusesUnknownOptionsAndGuessesWhatWasMeant) {
  expect_usage({"--platfrom", "linux/amd64", name_of("app")}, {"--platfrom", "did you mean --platform?"});
  expect_usage({"--frobnicate", name_of("app")}, {"--frobnicate", "regfs-pull --help"});
  expect_usage({"-x", name_of("app")}, {"-x"});
}

TEST_F(PullUsage, RefusesValuesThatAreNone) {
  expect_usage({"--progress", "fancy", name_of("app")}, {"fancy", "auto, plain, json or none"});
  expect_usage({"--max-concurrent-downloads", "0", name_of("app")}, {"--max-concurrent-downloads"});
  expect_usage({"--max-concurrent-downloads", "many", name_of("app")}, {"many"});
  expect_usage({"--timeout", "soon", name_of("app")}, {"soon"});
  expect_usage({name_of("app"), "-o"}, {"-o"});
}

TEST_F(PullUsage, RefusesALoginForImagesOfSeveralRegistries) {
  expect_usage({"--username", "ann", "--password", "s3cret", name_of("app"), "registry.example/app"},
               {"--username", "one registry"});
}

TEST_F(PullUsage, RefusesANameWithoutItsPassword) {
  expect_usage({"--username", "ann", name_of("app")}, {"password"});
}

TEST_F(PullUsage, RefusesACacheDirectoryThatIsAFile) {
  std::ofstream(cache_) << "a file";
  expect_refusal({name_of("app")}, kUsage, {cache_, "--cache-dir"});
  EXPECT_EQ(text_file(cache_), "a file");
  EXPECT_TRUE(files().empty());
}

TEST_F(PullUsage, HelpAndVersionAreAnswersAndNotErrors) {
  const Pulled help = pull({"--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_EQ(help.error, "");
  for (const char* const word : {"--platform", "--output", "--dry-run", "--username", "--no-cache", "--progress"}) {
    EXPECT_TRUE(contains(help.output, word));
  }
  const Pulled version = pull({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_TRUE(version.output.starts_with("regfs-pull ")) << version.output;
  EXPECT_FALSE(exists(cache_));
}

}  // namespace
}  // namespace regfs::test::usage_test
