// SPDX-License-Identifier: MIT
#include "fs/name_rules.h"

#include "tests/fs/name_world.h"

namespace regfs::fs::name_rules_test {
namespace {

using Names = std::vector<std::string>;
using NameRulesTest = test::NameWorld;

const test::SampleImage& amd64() {
  static const test::SampleImage image = test::make_image({.layers = {test::seeded_layer(1, 700)}});
  return image;
}
const test::SampleImage& arm64() {
  static const test::SampleImage image = test::make_image(
      {.layers = {test::seeded_layer(2, 700)}, .platform = {.architecture = "arm64", .variant = "v8"}});
  return image;
}

bool is_directory(const Result<Child>& child) {
  return child && std::holds_alternative<Location>(child->what);
}

// --- what is refused ---

TEST_F(NameRulesTest, ANameThatNoRegistryCouldHaveCostsNoRequest) {
  for (const char* name : {".git", "-x", "a b"}) EXPECT_TRUE(lookup("app", name).error().is(Errc::not_found)) << name;
  EXPECT_EQ(requests(), 0u);
}

TEST_F(NameRulesTest, ATagThatDoesNotExistIsNotFoundBelowAKnownRepository) {
  put_tags("app", {"v1"});
  EXPECT_TRUE(lookup("app", "nothing").error().is(Errc::not_found));
}

TEST_F(NameRulesTest, AnAbsentTagIsRememberedForHalfAMinute) {
  put_tags("app", {"v1"});
  ASSERT_FALSE(lookup("app", "later"));
  put_image("app", "later", amd64());
  EXPECT_FALSE(lookup("app", "later"));
  clock_.advance(kAbsenceMemory);
  EXPECT_TRUE(is_directory(lookup("app", "later")));
}

TEST_F(NameRulesTest, AnArchiveIsNeverAssumed) {
  EXPECT_TRUE(lookup("some/where", "linux-amd64.tar").error().is(Errc::not_found));
}

TEST_F(NameRulesTest, APlatformThatTheTagDoesNotHaveIsNotFound) {
  put_index("app", "v1", {amd64()});
  EXPECT_TRUE(lookup("app/v1", "linux-s390x.tar").error().is(Errc::not_found));
}

TEST_F(NameRulesTest, ADeniedTagIsDeniedAndNotAbsent) {
  for (int status : {401, 403}) {
    clock_.advance(kAbsenceMemory);
    transport_.replace(test::NameWorld::manifest_url("private", "v1"), {.status = status});
    Result<Child> child = lookup("private/v1", "linux-amd64.tar");
    ASSERT_FALSE(child);
    EXPECT_TRUE(child.error().is(status == 401 ? Errc::unauthorized : Errc::forbidden)) << child.error().context();
    EXPECT_NE(list("private/v1").front().find(std::to_string(status)), std::string::npos);
  }
}

TEST_F(NameRulesTest, AServerErrorIsNeitherAbsenceNorAShortList) {
  transport_.replace(manifest_url("app", "v1"), {.status = 500});
  transport_.replace(tags_url("app"), {.status = 500});
  EXPECT_TRUE(lookup("app", "v1").error().is(Errc::server_error));
  EXPECT_TRUE(rules_.list(at("app"), Ask::registry).error().is(Errc::server_error));
}

TEST_F(NameRulesTest, ABadIndexIsMalformedAndNothingOfItIsKept) {
  put_document("app", "v1", "<html>sign in</html>", "text/html");
  EXPECT_TRUE(rules_.list(at("app/v1"), Ask::registry).error().is(Errc::malformed));
  EXPECT_FALSE(store_->document(sha256_of("<html>sign in</html>"), 1000));
}

TEST_F(NameRulesTest, AnIndexThatNestsForEverEndsAfterFewRequests) {
  std::string inner(registry::kOciIndex);
  std::string body = R"({"schemaVersion":2,"mediaType":")" + inner + R"(","manifests":[]})";
  for (int depth = 0; depth < 50; ++depth) {
    Digest digest = sha256_of(body);
    put_document("app", digest.str(), body, inner);
    body = R"({"schemaVersion":2,"mediaType":")" + inner + R"(","manifests":[{"mediaType":")" + inner +
           R"(","digest":")" + digest.str() + R"(","size":)" + std::to_string(body.size()) + "}]}";
  }
  put_document("app", "v1", body, inner);
  EXPECT_TRUE(rules_.list(at("app/v1"), Ask::registry).error().is(Errc::malformed));
  EXPECT_LE(requests(), 40u);
}

TEST_F(NameRulesTest, AManifestOfAnotherLengthThanListedIsRefused) {
  test::SampleImage image = amd64();
  put_index("app", "v1", {image});
  std::string body = test::make_index({image}).body;
  std::string size = std::to_string(image.manifest.size());
  ASSERT_NE(body.find(size), std::string::npos);
  body.replace(body.find(size), size.size(), std::to_string(image.manifest.size() + 10));
  put_document("app", "v1", body, std::string(registry::kOciIndex));
  EXPECT_TRUE(lookup("app/v1", "linux-amd64.tar").error().is(Errc::wrong_length));
}

TEST_F(NameRulesTest, AMissingManifestOfAGoodIndexIsBrokenContentAndNotAbsence) {
  put_index("app", "v1", {amd64()});
  transport_.replace(manifest_url("app", amd64().digest.str()), {.status = 404});
  EXPECT_TRUE(lookup("app/v1", "linux-amd64.tar").error().is(Errc::missing_content));
}

// --- what costs nothing ---

TEST_F(NameRulesTest, TheRootNeverAsksTheNetwork) {
  Location every = root_location(std::nullopt);
  for (const char* name : {"nginx", "ghcr.io", "localhost:5000"}) {
    auto now = rules_.lookup_now(every, name);
    ASSERT_TRUE(now && *now) << name;
  }
  EXPECT_FALSE(*rules_.lookup_now(every, ".Trash"));
  EXPECT_TRUE(rules_.lookup_now(root_location(test::kHost), "app")->has_value());
  EXPECT_EQ(requests(), 0u);
}

TEST_F(NameRulesTest, ListingARepositoryAsksForItsTagListOnlyAndOfItsRegistryForTheCatalogOnce) {
  put_tags("app", {"v1", "v2"});
  put_tags("other", {"v3"});
  EXPECT_EQ(list("app"), (Names{"v1", "v2"}));
  EXPECT_EQ(list("other"), Names{"v3"});
  clock_.advance(test::kTagTtl);
  EXPECT_EQ(list("app"), (Names{"v1", "v2"}));
  EXPECT_EQ(transport_.count(tags_url("app")), 2u);
  EXPECT_EQ(transport_.count(tags_url("other")), 1u);
  EXPECT_EQ(requests(), 4u) << "and one for the catalog, which there is not";
}

TEST_F(NameRulesTest, ATagOfAFreshListingIsAnsweredWithoutARequest) {
  put_tags("app", {"v1"});
  list("app");
  size_t before = requests();
  auto now = rules_.lookup_now(at("app"), "v1");
  ASSERT_TRUE(now && *now);
  EXPECT_LE((*now)->left, test::kTagTtl);
  EXPECT_EQ(requests(), before);
  clock_.advance(test::kTagTtl);
  EXPECT_FALSE(rules_.lookup_now(at("app"), "v1"));
}

TEST_F(NameRulesTest, ATagIsRevalidatedByOneHeadWhenItsTimeIsOver) {
  put_index("app", "v1", {amd64()});
  ASSERT_TRUE(lookup("app/v1", "linux-amd64.tar"));
  size_t before = requests();
  ASSERT_TRUE(lookup("app/v1", "linux-amd64.tar"));
  EXPECT_EQ(requests(), before);
  clock_.advance(test::kTagTtl);
  ASSERT_TRUE(lookup("app/v1", "linux-amd64.tar"));
  ASSERT_EQ(requests(), before + 1);
  EXPECT_EQ(transport_.requests().back().method, "HEAD");
}

TEST_F(NameRulesTest, TheLastKnownAnswerNeedsNoNetworkAtAll) {
  put_tags("app", {"v1"});
  put_index("app", "v1", {amd64(), arm64()});
  list("app");
  ASSERT_TRUE(lookup("app/v1", "linux-amd64.tar"));
  clock_.advance(std::chrono::hours(48));
  size_t before = requests();
  EXPECT_EQ(list("app", Ask::last_known), Names{"v1"});
  EXPECT_EQ(list("app/v1", Ask::last_known), (Names{"linux-amd64.tar", "linux-arm64.tar"}));
  EXPECT_TRUE(lookup("app/v1", "linux-amd64.tar", Ask::last_known));
  EXPECT_FALSE(lookup("app/v1", "linux-arm64.tar", Ask::last_known)) << "its manifest was never fetched";
  EXPECT_EQ(requests(), before);
}

TEST_F(NameRulesTest, WhatIsKnownOfARepositoryBelowANamespaceOutlivesTheRegistry) {
  put_tags("team/app", {"v1"});
  put_index("team/app", "v1", {amd64()});
  ASSERT_TRUE(lookup("team", "app"));
  ASSERT_TRUE(lookup("team/app/v1", "linux-amd64.tar"));
  clock_.advance(std::chrono::hours(48));
  size_t before = requests();
  EXPECT_TRUE(is_directory(lookup("team", "app", Ask::last_known)));
  EXPECT_TRUE(is_directory(lookup("team/app", "v1", Ask::last_known)));
  EXPECT_TRUE(lookup("team/app/v1", "linux-amd64.tar", Ask::last_known));
  EXPECT_EQ(list("team", Ask::last_known), Names{"app"});
  EXPECT_EQ(list("team/app", Ask::last_known), Names{"v1"});
  EXPECT_EQ(list("team/app/v1", Ask::last_known), Names{"linux-amd64.tar"});
  EXPECT_TRUE(lookup("team", "other", Ask::last_known).error().is(Errc::unreachable)) << "not known is not absent";
  EXPECT_EQ(requests(), before);
}

TEST_F(NameRulesTest, ATagThatAFreshListingShowsIsNoLongerAbsent) {
  put_tags("app", {"v1"});
  ASSERT_TRUE(lookup("app", "v2").error().is(Errc::not_found));
  clock_.advance(std::chrono::seconds(1));
  put_image("app", "v2", amd64());
  put_tags("app", {"v1", "v2"});
  clock_.advance(test::kTagTtl);
  ASSERT_TRUE(lookup("app", "v2"));
  EXPECT_EQ(list("app"), (Names{"v1", "v2"}));
  EXPECT_EQ(list("app/v2"), Names{"linux-amd64.tar"});
}

// --- what is found ---

TEST_F(NameRulesTest, AManifestSettlesANameAsATagWithoutAskingForTags) {
  put_image("app", "v1", amd64());
  EXPECT_TRUE(is_directory(lookup("app", "v1")));
  EXPECT_EQ(transport_.count(tags_url("app/v1")), 0u);
}

TEST_F(NameRulesTest, ANameThatIsNoTagMayBeARepositoryBelow) {
  put_tags("team/app", {"v1"});
  EXPECT_TRUE(is_directory(lookup("team", "app")));
  EXPECT_EQ(list("team/app"), Names{"v1"});
}

TEST_F(NameRulesTest, ARegistryThatHidesNamesStillHasNamespaces) {
  transport_.otherwise({.status = 401});
  put_tags("team/deep/app", {"v1"});
  EXPECT_TRUE(is_directory(lookup("team", "deep")));
  EXPECT_TRUE(is_directory(lookup("team/deep", "app")));
}

TEST_F(NameRulesTest, ARegistryThatCallsTheBeginningOfAPathAnInvalidNameStillHasNamespaces) {
  transport_.otherwise({.status = 400, .body = R"({"errors":[{"code":"NAME_INVALID","message":"too short"}]})"});
  put_tags("project/team/app", {"v1"});
  EXPECT_TRUE(is_directory(lookup("project", "team")));
  EXPECT_TRUE(is_directory(lookup("project/team", "app")));
}

TEST_F(NameRulesTest, ANamespaceIsAssumedWhereNothingIsKnown) {
  EXPECT_TRUE(is_directory(lookup("team", "sub")));
  EXPECT_TRUE(rules_.list(at("team/sub"), Ask::registry).error().is(Errc::not_found));
}

TEST_F(NameRulesTest, ADirectTagOpensThoughTheRegistryListsNone) {
  put_image("app", "v1", amd64());
  EXPECT_TRUE(rules_.list(at("app"), Ask::registry).error().is(Errc::not_found));
  EXPECT_TRUE(lookup("app/v1", "linux-amd64.tar"));
}

TEST_F(NameRulesTest, ListsPlatformsAndNoAttestation) {
  put_index("app", "v1", {amd64(), arm64()});
  EXPECT_EQ(list("app/v1"), (Names{"linux-amd64.tar", "linux-arm64.tar"}));
  EXPECT_EQ(requests(), 2u) << "one HEAD and the index";
}

TEST_F(NameRulesTest, ATagOfOnePlatformIsNamedFromItsConfig) {
  put_image("app", "v1", arm64());
  EXPECT_EQ(list("app/v1"), Names{"linux-arm64.tar"});
}

TEST_F(NameRulesTest, BothSpellingsOfArm64AreOneFile) {
  put_index("app", "v1", {arm64()});
  Result<Child> plain = lookup("app/v1", "linux-arm64.tar");
  Result<Child> full = lookup("app/v1", "linux-arm64-v8.tar");
  ASSERT_TRUE(plain && full);
  EXPECT_EQ(facts(plain).identity.key(), facts(full).identity.key());
}

TEST_F(NameRulesTest, AMovedTagIsAnotherFile) {
  put_image("app", "v1", amd64());
  Result<Child> before = lookup("app/v1", "linux-amd64.tar");
  test::SampleImage moved = test::make_image({.layers = {test::seeded_layer(3, 900)}});
  put_image("app", "v1", moved);
  clock_.advance(test::kTagTtl);
  Result<Child> after = lookup("app/v1", "linux-amd64.tar");
  ASSERT_TRUE(before && after);
  EXPECT_NE(facts(before).identity.key(), facts(after).identity.key());
}

TEST_F(NameRulesTest, ADigestShowsThePlatformWithoutNames) {
  put_image("app", "v1", amd64());
  Result<Child> child = lookup("app/" + amd64().digest.str(), "linux-amd64.tar");
  ASSERT_TRUE(child) << child.error().context();
  EXPECT_FALSE(facts(child).identity.tag);
  EXPECT_EQ(child->left, kForever);
}

// The cache may hold what another repository, or another's credentials, gave.
TEST_F(NameRulesTest, ADigestInTheCacheIsShownOnlyWhereTheRegistryShowsIt) {
  put_image("private", "v1", amd64());
  ASSERT_TRUE(lookup("private/v1", "linux-amd64.tar"));
  Result<Child> elsewhere = lookup("public/" + amd64().digest.str(), "linux-amd64.tar");
  ASSERT_FALSE(elsewhere);
  EXPECT_TRUE(elsewhere.error().is(Errc::not_found)) << elsewhere.error().context();
  transport_.replace(manifest_url("shut", amd64().digest.str()), {.status = 403});
  Result<Child> shut = lookup("shut/" + amd64().digest.str(), "linux-amd64.tar");
  ASSERT_FALSE(shut);
  EXPECT_TRUE(shut.error().is(Errc::forbidden)) << shut.error().context();
}

TEST_F(NameRulesTest, ADigestIsAskedForOnceInARepositoryAndNotAgainByALaterMount) {
  put_image("app", "v1", amd64());
  ASSERT_TRUE(lookup("app/v1", "linux-amd64.tar"));
  const size_t before = requests();
  ASSERT_TRUE(lookup("app/" + amd64().digest.str(), "linux-amd64.tar"));
  EXPECT_EQ(requests(), before + 1) << "one HEAD";
  ImageResolver later(client_, *store_, *refs_, clock_, log_.log(), test::kTagTtl);
  Result<ResolvedTag> again = later.resolve(registry::Reference{{test::kHost, "app"}, amd64().digest}, Ask::registry);
  ASSERT_TRUE(again);
  EXPECT_EQ(requests(), before + 1);
}

TEST_F(NameRulesTest, AnIndexOfTooManyDocumentsSaysSo) {
  std::string entries;
  for (int number = 0; number < 41; ++number) {
    const test::SampleImage image = test::make_image({.layers = {test::seeded_layer(number + 1, 100)}});
    put_image("app", image.digest.str(), image);
    entries += (entries.empty() ? "" : ",") +
               (R"({"mediaType":")" + image.media_type + R"(","digest":")" + image.digest.str() + R"(","size":)" +
                std::to_string(image.manifest.size()) + "}");
  }
  put_document("app", "many", R"({"schemaVersion":2,"manifests":[)" + entries + "]}", std::string(registry::kOciIndex));
  EXPECT_NE(list("app/many").at(0).find("in more than 40 other documents"), std::string::npos)
      << list("app/many").at(0);
}

TEST_F(NameRulesTest, TheBytesOfAManifestDecideWhenItsHeaderLies) {
  put_image("app", "v1", amd64());
  transport_.replace(manifest_url("app", "v1"), {.headers = {{"Content-Type", amd64().media_type},
                                                             {"Docker-Content-Digest", sha256_of("another").str()}},
                                                 .body = amd64().manifest});
  Result<Child> child = lookup("app/v1", "linux-amd64.tar");
  ASSERT_TRUE(child) << child.error().context();
  EXPECT_EQ(facts(child).identity.manifest.digest, amd64().digest);
}

TEST_F(NameRulesTest, ATagThatIsARepositoryTooShowsBothAndPlatformsFirst) {
  put_image("app", "v1", amd64());
  put_tags("app/v1", {"beta", "sha256-0123.sig"});
  put_image("app/v1", "beta", amd64());
  ASSERT_TRUE(lookup("app/v1", "beta")) << "which makes the repository known";
  EXPECT_EQ(list("app/v1"), (Names{"linux-amd64.tar", "beta"}));
}

TEST_F(NameRulesTest, TagsOfSignaturesAreResolvedButNotListed) {
  put_tags("app", {"sha256-0123.sig", "v1"});
  EXPECT_EQ(list("app"), Names{"v1"});
  EXPECT_TRUE(rules_.lookup_now(at("app"), "sha256-0123.sig")->has_value());
}

TEST_F(NameRulesTest, ListsWhatIsKnownBelowANamespaceAndAtTheRoots) {
  put_tags("team/app", {"v1"});
  list("team/app");
  EXPECT_EQ(list("team"), Names{"app"});
  EXPECT_EQ(list(""), Names{"team"});
  Result<Listing> every = rules_.list(root_location(std::nullopt), Ask::registry);
  ASSERT_TRUE(every);
  ASSERT_EQ(every->names.size(), 1u);
  EXPECT_EQ(every->names[0].name, test::kHost);
}

}  // namespace
}  // namespace regfs::fs::name_rules_test
