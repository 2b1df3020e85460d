// SPDX-License-Identifier: MIT
#include "registry/credential_file.h"

#include <gtest/gtest.h>

namespace regfs::registry::credential_file_test {
namespace {

CredentialFile parse(const std::string& text, CredentialFile::Layout layout = CredentialFile::Layout::current) {
  Result<CredentialFile> file = CredentialFile::parse(text, "config.json", layout);
  if (file) return *std::move(file);
  ADD_FAILURE() << file.error().context();
  return *CredentialFile::parse("{}", "", layout);
}

std::string user_of(const CredentialFile& file, const Repository& repository) {
  std::optional<Credential> credential = file.entry_for(repository);
  return credential ? credential->username + ":" + credential->password.reveal() : "(none)";
}

TEST(CredentialFile, SaysWhereADocumentIsBroken) {
  for (const char* text : {"", "{", "[]", "<html>", R"({"auths": {}, "auths": {}})", "{\"auths\":{}}x", "null"}) {
    Result<CredentialFile> file = CredentialFile::parse(text, "config.json");
    ASSERT_FALSE(file) << text;
    EXPECT_TRUE(file.error().is(Errc::malformed)) << text;
    EXPECT_NE(file.error().context().find("config.json"), std::string::npos) << file.error().context();
  }
}

TEST(CredentialFile, EndsAtNestingWithoutEnd) {
  EXPECT_FALSE(CredentialFile::parse(std::string(300'000, '['), "config.json"));
  EXPECT_FALSE(CredentialFile::parse("{\"auths\":" + std::string(300'000, '['), "config.json"));
}

TEST(CredentialFile, LeavesOutAnEntryThatItCannotUnderstandAndNamesItWithoutItsSecret) {
  const CredentialFile file =
      parse(R"({"auths": {"a.example": {"auth": "hunter2!"}, "b.example": {"auth": "aHVudGVyMg=="},
    "c.example": {"auth": 7}, "d.example": "hunter2", "e.example": {"username": "ann"},
    "good.example": {"auth": "YW5uOmh1bnRlcjI="}}})");
  ASSERT_EQ(file.problems().size(), 5u);
  EXPECT_EQ(file.problems()[0],
            "config.json: the entry of 'a.example' has an 'auth' that is not base64; it is left out");
  for (const std::string& problem : file.problems()) {
    EXPECT_EQ(problem.find("hunter2"), std::string::npos) << problem;
    EXPECT_EQ(problem.find("aHVud"), std::string::npos) << problem;
  }
  EXPECT_EQ(user_of(file, {"good.example", "app"}), "ann:hunter2");
  EXPECT_EQ(user_of(file, {"a.example", "app"}), "(none)");
}

TEST(CredentialFile, LeavesOutPartsOfAnotherType) {
  const CredentialFile file =
      parse(R"({"auths": [], "credHelpers": {"a.example": "../evil", "b.example": 3}, "credsStore": {}})");
  EXPECT_EQ(file.problems().size(), 4u);
  EXPECT_FALSE(file.helper_for({"a.example", "app"}));
}

TEST(CredentialFile, SplitsAtTheFirstColonAndDropsTrailingNuls) {
  const CredentialFile file = parse(R"({"auths": {"a.example": {"auth": "YW5uOnA6cQAA"}}})");
  EXPECT_EQ(user_of(file, {"a.example", "app"}), "ann:p:q");
}

TEST(CredentialFile, PassesOverTheEmptyEntriesThatHelpersLeave) {
  const CredentialFile file = parse(R"({"auths": {"a.example": {}}})");
  EXPECT_TRUE(file.problems().empty());
  EXPECT_FALSE(file.entry_for({"a.example", "app"}));
}

TEST(CredentialFile, KnowsNobodyElsesRegistry) {
  const CredentialFile file = parse(R"({"auths": {"a.example": {"auth": "YW5uOng="}}})");
  for (const char* host : {"b.example", "a.example:5000", "a.example.evil.example", "ba.example", "docker.io"}) {
    EXPECT_FALSE(file.entry_for({host, "app"})) << host;
  }
}

TEST(CredentialFile, DoesNotGiveANamespacesEntryToItsNeighbour) {
  const CredentialFile file = parse(R"({"auths": {"a.example/acme": {"auth": "YW5uOng="}}})");
  EXPECT_EQ(user_of(file, {"a.example", "acme/api"}), "ann:x");
  EXPECT_EQ(user_of(file, {"a.example", "acme"}), "ann:x");
  EXPECT_FALSE(file.entry_for({"a.example", "acme2/api"}));
  EXPECT_FALSE(file.entry_for({"a.example", "other"}));
}

TEST(CredentialFile, TakesTheMostSpecificKey) {
  const CredentialFile file =
      parse(R"({"auths": {"a.example": {"auth": "aG9zdDp4"}, "a.example/acme": {"auth": "bnM6eA=="},
                                        "a.example/acme/api": {"auth": "cmVwbzp4"}}})");
  EXPECT_EQ(user_of(file, {"a.example", "acme/api"}), "repo:x");
  EXPECT_EQ(user_of(file, {"a.example", "acme/web"}), "ns:x");
  EXPECT_EQ(user_of(file, {"a.example", "other"}), "host:x");
}

TEST(CredentialFile, KnowsDockerHubByAllItsNames) {
  for (const char* key : {"https://index.docker.io/v1/", "index.docker.io/v1/", "index.docker.io", "docker.io",
                          "registry-1.docker.io", "https://registry-1.docker.io/v2/"}) {
    const CredentialFile file = parse(std::string(R"({"auths": {")") + key + R"(": {"auth": "YW5uOng="}}})");
    EXPECT_EQ(user_of(file, {"docker.io", "library/nginx"}), "ann:x") << key;
  }
}

TEST(CredentialFile, TakesAUrlForItsHost) {
  const CredentialFile file = parse(R"({"auths": {"https://A.example:5000/v2/": {"auth": "YW5uOng="}}})");
  EXPECT_EQ(user_of(file, {"a.example:5000", "app"}), "ann:x");
}

TEST(CredentialFile, ReadsTokensAndClearNames) {
  const CredentialFile file = parse(R"({"auths": {"a.example": {"auth": "MDA6", "identitytoken": "refresh"},
      "b.example": {"registrytoken": "bearer"}, "c.example": {"username": "ann", "password": "x"}}})");
  EXPECT_EQ(file.entry_for({"a.example", "app"})->identity_token, Secret("refresh"));
  EXPECT_EQ(file.entry_for({"b.example", "app"})->registry_token, Secret("bearer"));
  EXPECT_EQ(user_of(file, {"c.example", "app"}), "ann:x");
}

TEST(CredentialFile, AsksTheHelperOfARegistryBeforeTheStore) {
  const CredentialFile file = parse(R"({"credHelpers": {"gcr.io": "gcr"}, "credsStore": "pass",
                                        "auths": {"gcr.io": {"auth": "YW5uOng="}}})");
  EXPECT_EQ(file.helper_for({"gcr.io", "p/app"})->name, "gcr");
  EXPECT_EQ(file.helper_for({"gcr.io", "p/app"})->servers, std::vector<std::string>{"gcr.io"});
  EXPECT_EQ(file.helper_for({"ghcr.io", "app"})->name, "pass");
  EXPECT_EQ(file.helper_for({"docker.io", "library/nginx"})->servers.front(), "https://index.docker.io/v1/");
}

TEST(CredentialFile, ReadsTheFlatFormOfOldFiles) {
  const CredentialFile file =
      parse(R"({"https://index.docker.io/v1/": {"auth": "YW5uOng=", "email": "a@b"}})", CredentialFile::Layout::flat);
  EXPECT_EQ(user_of(file, {"docker.io", "library/nginx"}), "ann:x");
}

}  // namespace
}  // namespace regfs::registry::credential_file_test
