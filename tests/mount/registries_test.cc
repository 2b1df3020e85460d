// SPDX-License-Identifier: MIT
// Each registry that the README names, as that registry speaks: its lists, an image, its kind of credential, and how it
// refuses. What befalls it besides stands in registries_faults_test.cc.
#include <algorithm>

#include "tests/mount/registries_fixture.h"

namespace regfs::test::registries_test {
namespace {

using Names = std::vector<std::string>;

class Registries : public RegistriesTest, public testing::WithParamInterface<RegistryProfile> {
 protected:
  Registries() : RegistriesTest(GetParam()) {}
};
class RegistriesWithUsers : public Registries {};
class RegistriesWithTokens : public Registries {};  // or passwords that age

TEST_P(Registries, ListTheirTagsAndPlatformsAndGiveAnImageByteForByte) {
  const MountedRegfs mount(spec());
  REGFS_ASSERT_MOUNTED(mount);
  Names names = tags_;
  names.insert(names.end(), GetParam().children.begin(), GetParam().children.end());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(list_directory(repository(mount)).names, names) << mount.log();
  EXPECT_EQ(list_directory(repository(mount) / "v1").names, (Names{"linux-amd64.tar", "linux-arm64.tar"}));
  EXPECT_TRUE(reads(mount, "v1", large_.images[0]));
  EXPECT_EQ(registry_.complaints(), Names{});
  EXPECT_EQ(registry_.tokens_given(), GetParam().token_path.empty() ? 0u : 1u);
}

TEST_P(RegistriesWithUsers, LetTheirKindOfCredentialReadAPrivateImage) {
  registry_.require_login();
  write_login(GetParam().login);
  const MountedRegfs mount(spec());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(reads(mount, "v2", small_));
  EXPECT_EQ(registry_.complaints(), Names{});
  EXPECT_EQ(registry_.credentials_shown(), 0u);
  // Where it was shown: to the token service, or to the registry where that itself asks for it.
  const std::string& password = GetParam().login.password;
  for (const Journal* const journal : {&registry_.journal(), &registry_.store_journal()}) {
    for (const JournalEntry& entry : journal->entries()) {
      const bool told = entry.authorization == basic_header(GetParam().login) ||
                        entry.form.find("refresh_token=" + password) != std::string::npos;
      const bool asks = GetParam().token_path.empty() || entry.path == GetParam().token_path;
      if (told) {
        EXPECT_TRUE(asks) << entry.path;
      }
      EXPECT_EQ(entry.query.find("of-ann"), std::string::npos) << entry.query;
      EXPECT_FALSE(entry.cookie);
    }
  }
  EXPECT_EQ(mount.log().find(password), std::string::npos);
}

TEST_P(RegistriesWithUsers, RefuseAnotherCredentialInWordsAndAFewTimesOnly) {
  registry_.require_login();
  write_login({GetParam().login.username, "of-somebody-else"});
  const MountedRegfs mount(spec());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(list_directory(repository(mount)).error, EACCES);
  EXPECT_EQ(stat_error(repository(mount) / "v1" / "linux-amd64.tar"), EACCES);
  // An account may be locked after a few; 403 is no answer to a wrong password, but to one that may be good elsewhere.
  if (GetParam().denied.status == 401 || GetParam().denied.by_realm) {
    EXPECT_LE(registry_.credentials_shown(), 4u);
  }
  EXPECT_GE(registry_.credentials_shown(), 1u);
  EXPECT_TRUE(contains(mount.log(), ": " + std::to_string(GetParam().denied.status) + words_of(GetParam().denied)));
  EXPECT_TRUE(
      contains(mount.log(),
               "used: " + (GetParam().wants_refresh_token ? "an identity token" : "user " + GetParam().login.username) +
                   " from " + scratch_.path() + "/config.json"));
  EXPECT_EQ(mount.log().find("of-somebody-else"), std::string::npos);
}

TEST_P(Registries, SayOfARepositoryThatTheyDoNotHaveThatItIsMissingOrDenied) {
  const MountedRegfs mount(spec());
  REGFS_ASSERT_MOUNTED(mount);
  const ProfileRefusal& missing = GetParam().missing;
  const bool denied = missing.status == 401 || missing.status == 403;
  EXPECT_EQ(list_directory(mount / registry_.host() / "team" / "none").error, denied ? EACCES : ENOENT) << mount.log();
  if (denied) {
    EXPECT_TRUE(contains(mount.log(), ": " + std::to_string(missing.status) + words_of(missing)));
    EXPECT_TRUE(contains(mount.log(), "or it does not exist"));
  }
  EXPECT_EQ(registry_.complaints(), Names{});
  // Its neighbour is unharmed.
  EXPECT_EQ(list_directory(repository(mount)).error, 0) << mount.log();
}

TEST_P(RegistriesWithTokens, RenewATokenThatEndsBetweenTwoRangesOfALayer) {
  registry_.require_login();
  write_login(GetParam().login);
  const std::string layer = FakeRegistry::blob_path("team/app", large_.images[0].layers[0].digest);
  size_t given = 0;
  const bool is_password = GetParam().token_path.empty();
  registry_.expire_tokens_after(
      layer,
      [&] {
        given = registry_.tokens_given();
        if (is_password) registry_.require_password("another-twelve-hours");
      },
      [&] {
        // Whoever renews the login has done so.
        if (is_password) write_login({GetParam().login.username, "another-twelve-hours"});
      });
  const MountedRegfs mount(spec());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(reads(mount, "v1", large_.images[0]));
  EXPECT_GE(registry_.turned_away(), 1u);
  EXPECT_EQ(registry_.complaints(), Names{});
  EXPECT_EQ(registry_.credentials_shown(), 0u);
  if (!GetParam().token_path.empty()) {
    EXPECT_EQ(registry_.tokens_given(), given + (GetParam().basic_too ? 0 : 1)) << "however many ranges ask";
  }
}

TEST_P(Registries, ListTheRepositoriesOfTheirCatalogAndFailNoListingWithoutOne) {
  if (!GetParam().catalog.empty()) {
    registry_.push("team/tool", "v1", small_);
    if (!GetParam().challenge.empty()) {
      registry_.require_login();
      write_login(GetParam().login);
    }
  }
  const MountedRegfs mount(spec());
  REGFS_ASSERT_MOUNTED(mount);
  const ListOutcome listed = list_directory(mount / registry_.host());
  EXPECT_EQ(listed.error, 0) << mount.log();
  EXPECT_EQ(listed.names, GetParam().catalog.empty() ? Names{} : (Names{"team", "tools"})) << mount.log();
  EXPECT_GE(registry_.journal().count("GET", "/v2/_catalog"), 1u);
  if (GetParam().catalog.empty()) return;
  EXPECT_EQ(list_directory(mount / registry_.host() / "team").names, (Names{"app", "tool"})) << mount.log();
  EXPECT_EQ(list_directory(mount / registry_.host() / "team" / "tool").names, tags_) << mount.log();
  EXPECT_EQ(registry_.complaints(), Names{});
}

std::string test_name(const testing::TestParamInfo<RegistryProfile>& of) {
  std::string name = of.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

std::vector<RegistryProfile> profiles_where(bool (*is_so)(const RegistryProfile&)) {
  std::vector<RegistryProfile> profiles = registry_profiles();
  std::erase_if(profiles, [is_so](const RegistryProfile& profile) { return !is_so(profile); });
  return profiles;
}

INSTANTIATE_TEST_SUITE_P(Of, Registries, testing::ValuesIn(registry_profiles()), test_name);
INSTANTIATE_TEST_SUITE_P(Of, RegistriesWithUsers, testing::ValuesIn(profiles_where([](const RegistryProfile& profile) {
                           return !profile.login.username.empty();
                         })),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Of, RegistriesWithTokens, testing::ValuesIn(profiles_where([](const RegistryProfile& profile) {
                           return !profile.challenge.empty();
                         })),
                         test_name);

}  // namespace
}  // namespace regfs::test::registries_test
