// SPDX-License-Identifier: MIT
#include "registry/credential_helper.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "tests/support/child_process.h"
#include "tests/support/posix_file.h"
#include "tests/support/temp_dir.h"

namespace regfs::registry::credential_helper_test {
namespace {

using namespace std::chrono_literals;

// Helpers are scripts in a directory of their own.
class CredentialHelperTest : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& script) {
    const std::string path = directory_ / ("docker-credential-" + name);
    std::ofstream(path) << "#!/bin/sh\n" << script;
    ::chmod(path.c_str(), 0755);
  }
  Result<std::optional<Credential>> get(const std::string& script, std::chrono::milliseconds time = 15s) {
    write("test", script);
    HelperRunner runner(path(), time);
    return runner.get("test", "reg.example");
  }
  std::string path() const { return directory_.path() + ":/usr/bin:/bin"; }

  const test::TempDir directory_;
};

TEST_F(CredentialHelperTest, SaysWhichProgramIsMissing) {
  HelperRunner runner(path());
  Result<std::optional<Credential>> answer = runner.get("nosuch", "reg.example");
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is(Errc::not_found));
  EXPECT_NE(answer.error().context().find("docker-credential-nosuch"), std::string::npos);
}

TEST_F(CredentialHelperTest, RunsNothingFromTheWorkingDirectory) {
  write("test", "echo '{\"Username\": \"u\", \"Secret\": \"s\"}'");
  HelperRunner runner(".::relative");
  EXPECT_TRUE(runner.get("test", "reg.example").error().is(Errc::not_found));
}

TEST_F(CredentialHelperTest, KillsAHelperThatHangsWithItsChildren) {
  const std::string mark = "31" + std::to_string(::getpid());
  test::adopt_orphans();
  Result<std::optional<Credential>> answer = get("sleep " + mark + " & sleep " + mark, 300ms);
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is(Errc::timed_out)) << answer.error().context();
  EXPECT_TRUE(test::eventually(10s, [&] {
    for (pid_t pid : test::children_with(mark)) {
      if (test::process_state(pid) != 'Z') return false;
    }
    return true;
  }));
}

TEST_F(CredentialHelperTest, EndsAHelperAtShutdown) {
  write("test", "exec sleep 600");
  HelperRunner runner(path(), 600s);
  Result<std::optional<Credential>> answer = std::optional<Credential>();
  std::thread asking([&] { answer = runner.get("test", "reg.example"); });
  runner.shutdown();
  asking.join();
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is(Errc::shutting_down));
}

TEST_F(CredentialHelperTest, StopsReadingAHelperWithoutEnd) {
  Result<std::optional<Credential>> answer = get("exec yes");
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().context().find("64 KiB"), std::string::npos) << answer.error().context();
}

TEST_F(CredentialHelperTest, RefusesRubbishWithoutShowingIt) {
  for (const char* output :
       {"hunter2", "{}", "[]", "", "{\"Username\": \"u\"}", "{\"Username\": \"\", \"Secret\": \"hunter2\"}",
        "{\"Username\": \"u\", \"Secret\": 7}", "{\"hunter2\": 1, \"hunter2\": 2}"}) {
    Result<std::optional<Credential>> answer = get("printf '%s' '" + std::string(output) + "'");
    ASSERT_FALSE(answer) << output;
    EXPECT_TRUE(answer.error().is(Errc::unauthorized)) << output;
    EXPECT_EQ(answer.error().context().find("hunter2"), std::string::npos) << answer.error().context();
  }
}

TEST_F(CredentialHelperTest, PassesOnWhatAFailingHelperSays) {
  Result<std::optional<Credential>> answer = get("echo 'the vault is locked'; exit 1");
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is(Errc::not_found));
  EXPECT_NE(answer.error().context().find("'the vault is locked'"), std::string::npos) << answer.error().context();
}

TEST_F(CredentialHelperTest, ShowsNothingOfAFailingHelperThatPrintsWhatItHolds) {
  for (const char* output :
       {R"({"Username":"u","Secret":"hunter2-is-secret"})", R"("hunter2-is-secret")", "Secret=hunter2-is-secret"}) {
    Result<std::optional<Credential>> answer = get("printf '%s' '" + std::string(output) + "'; exit 3");
    ASSERT_FALSE(answer) << output;
    EXPECT_EQ(answer.error().context().find("hunter2"), std::string::npos) << answer.error().context();
  }
}

TEST_F(CredentialHelperTest, TakesTheExactWordsOfAbsenceForNobody) {
  Result<std::optional<Credential>> answer = get("echo 'credentials not found in native keychain'; exit 1");
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->has_value());
  EXPECT_FALSE(get("echo 'credentials not found'; exit 1"));
}

TEST_F(CredentialHelperTest, GivesTheServerAndReadsTheAnswer) {
  Result<std::optional<Credential>> answer =
      get("test \"$1\" = get && test \"$(cat)\" = reg.example && echo '{\"ServerURL\": \"\", \"Username\": \"u\", "
          "\"Secret\": \"s\"}'");
  ASSERT_TRUE(answer) << answer.error().context();
  EXPECT_EQ((*answer)->username, "u");
  EXPECT_EQ((*answer)->password, Secret("s"));
}

TEST_F(CredentialHelperTest, LivesWithAHelperThatDoesNotReadItsInput) {
  Result<std::optional<Credential>> answer =
      get("exec 0<&-; echo 'noise' >&2; echo '{\"Username\": \"u\", \"Secret\": \"s\"}'");
  ASSERT_TRUE(answer) << answer.error().context();
  EXPECT_EQ((*answer)->username, "u");
}

TEST_F(CredentialHelperTest, TakesTheUserTokenForARefreshToken) {
  Result<std::optional<Credential>> answer = get("echo '{\"Username\": \"<token>\", \"Secret\": \"refresh\"}'");
  ASSERT_TRUE(answer);
  EXPECT_EQ((*answer)->identity_token, Secret("refresh"));
  EXPECT_FALSE((*answer)->has_password());
}

TEST_F(CredentialHelperTest, GivesAHelperAPathWhereThereIsNone) {
  HelperRunner runner("");
  Result<std::optional<Credential>> answer = runner.get("nosuch", "reg.example");
  EXPECT_NE(answer.error().context().find("/usr/local/bin"), std::string::npos);
}

}  // namespace
}  // namespace regfs::registry::credential_helper_test
