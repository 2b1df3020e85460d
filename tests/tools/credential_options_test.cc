// SPDX-License-Identifier: MIT
#include "tools/credential_options.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <vector>

#include "base/unique_fd.h"
#include "tests/support/temp_dir.h"

namespace regfs::credential_options_test {
namespace {

const std::optional<std::string> kHost = "reg.example";

struct Settled {
  CredentialOptions options;
  std::string complaint;
};

Settled settle(CredentialOptions options, LoginVariables variables = {}, std::optional<std::string> host = kHost,
               const std::string& standard_input = "") {
  int ends[2];
  if (::pipe(ends) != 0) return {};
  UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  EXPECT_EQ(::write(writer.get(), standard_input.data(), standard_input.size()),
            static_cast<ssize_t>(standard_input.size()));
  writer.reset();
  Result<void> outcome = settle_login(options, std::move(variables), host, reader.get());
  EXPECT_TRUE(outcome || outcome.error().is(Errc::invalid_argument));
  return {options, outcome ? "" : outcome.error().context()};
}

testing::AssertionResult mentions(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "no \"" << part << "\" in: " << text;
}

std::vector<std::string> hidden(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  hide_passwords(static_cast<int>(argv.size()), argv.data());
  return words;
}
using Words = std::vector<std::string>;

TEST(CredentialOptions, AreForOneRegistryOnly) {
  EXPECT_TRUE(mentions(settle({.username = "ann", .password = Secret("x")}, {}, std::nullopt).complaint, "HOST"));
  EXPECT_TRUE(mentions(settle({}, {"ann", Secret("x")}, std::nullopt).complaint, "REGFS_USERNAME"));
}

TEST(CredentialOptions, NeedBothHalves) {
  EXPECT_TRUE(mentions(settle({.username = "ann"}).complaint, "--password-stdin"));
  EXPECT_TRUE(mentions(settle({.password = Secret("x")}).complaint, "--password needs a name"));
  EXPECT_TRUE(mentions(settle({.password_stdin = true}).complaint, "--password-stdin needs a name"));
  EXPECT_TRUE(mentions(settle({}, {"ann", std::nullopt}).complaint, "REGFS_USERNAME needs a password"));
  EXPECT_TRUE(mentions(settle({}, {"", Secret("x")}).complaint, "REGFS_PASSWORD needs a name"));
}

TEST(CredentialOptions, RefuseTwoPasswordsANameWithAColonAndAnEmptyInput) {
  EXPECT_TRUE(mentions(settle({.username = "ann", .password = Secret("x"), .password_stdin = true}).complaint,
                       "give one of them"));
  EXPECT_TRUE(mentions(settle({.username = "a:b", .password = Secret("x")}).complaint, "no ':'"));
  EXPECT_TRUE(mentions(settle({.username = "ann", .password_stdin = true}, {}, kHost, "\n").complaint, "no password"));
}

TEST(CredentialOptions, RefuseAnAuthfileThatIsMissingOrBroken) {
  const test::TempDir directory;
  EXPECT_TRUE(mentions(settle({.authfile = directory / "none"}).complaint, directory / "none"));
  std::ofstream(directory / "bad.json") << "{";
  EXPECT_TRUE(mentions(settle({.authfile = directory / "bad.json"}).complaint, "bad.json: not JSON"));
}

TEST(CredentialOptions, MayAllBeAbsent) {
  EXPECT_EQ(settle({}, {}, std::nullopt).complaint, "");
}

TEST(CredentialOptions, TakeThePasswordFromStandardInputWithoutItsLineEnd) {
  EXPECT_EQ(settle({.username = "ann", .password_stdin = true}, {}, kHost, "p w\n").options.password, Secret("p w"));
  EXPECT_EQ(settle({.username = "ann", .password_stdin = true}, {}, kHost, "pw\r\n").options.password, Secret("pw"));
  EXPECT_EQ(settle({.username = "ann", .password_stdin = true}, {}, kHost, "pw").options.password, Secret("pw"));
}

TEST(CredentialOptions, TakeFromTheEnvironmentWhatTheCommandLineLeavesOut) {
  EXPECT_EQ(settle({.username = "ann"}, {"bob", Secret("env")}).options.username, "ann");
  EXPECT_EQ(settle({.username = "ann"}, {"bob", Secret("env")}).options.password, Secret("env"));
  EXPECT_EQ(settle({.username = "ann", .password = Secret("x")}, {"", Secret("env")}).options.password, Secret("x"));
}

TEST(LoginVariables, LeaveTheEnvironment) {
  ::setenv("REGFS_USERNAME", "ann", 1);
  ::setenv("REGFS_PASSWORD", "hunter2", 1);
  const char* const stored = std::getenv("REGFS_PASSWORD");
  const LoginVariables variables = take_login_variables();
  EXPECT_EQ(variables.username, "ann");
  EXPECT_EQ(variables.password, Secret("hunter2"));
  EXPECT_EQ(std::getenv("REGFS_PASSWORD"), nullptr);
  EXPECT_EQ(std::string(stored), "");
}

TEST(HidePasswords, OverwriteTheValueHoweverItIsGiven) {
  EXPECT_EQ(hidden({"regfs", "--password", "hunter2", "/mnt"}), (Words{"regfs", "--password", "*******", "/mnt"}));
  EXPECT_EQ(hidden({"regfs", "--password=hunter2"}), (Words{"regfs", "--password=*******"}));
  EXPECT_EQ(hidden({"regfs", "/mnt", "-o", "ro,password=a\\,b,username=u"}),
            (Words{"regfs", "/mnt", "-o", "ro,password=****,username=u"}));
  EXPECT_EQ(hidden({"regfs", "-opassword=pw"}), (Words{"regfs", "-opassword=**"}));
  EXPECT_EQ(hidden({"regfs", "-fo", "password=pw"}), (Words{"regfs", "-fo", "password=**"}));
}

TEST(HidePasswords, LeaveEverythingElse) {
  const Words words{"regfs", "--password-stdin", "--log-file", "password=x", "-o", "x-password=1,log_file=password=2"};
  EXPECT_EQ(hidden(words), words);
}

}  // namespace
}  // namespace regfs::credential_options_test
