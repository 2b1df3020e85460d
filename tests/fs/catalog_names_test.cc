// SPDX-License-Identifier: MIT
// Repositories that a registry tells of, by its catalog or in its tag lists, as names of the tree.
#include "tests/fs/name_world.h"

namespace regfs::test::catalog_names_test {
namespace {

using Names = std::vector<std::string>;

class CatalogNames : public NameWorld {
 protected:
  static std::string catalog_url() { return "https://" + kHost + "/v2/_catalog?n=1000"; }
  void put_catalog(const Names& repositories) {
    std::string names;
    for (const std::string& name : repositories) names += (names.empty() ? "\"" : ",\"") + name + "\"";
    transport_.replace(catalog_url(), {.body = R"({"repositories":[)" + names + "]}"});
  }
  size_t catalog_requests() const { return transport_.count(catalog_url()); }
  std::optional<Result<fs::Child>> lookup_now(const std::string& parent, const std::string& name) {
    return rules_.lookup_now(at(parent), name);
  }
};

TEST_F(CatalogNames, AreMissingWhereTheRegistryHasNoneAndNothingFails) {
  EXPECT_EQ(list(""), Names{});
  put_tags("acme/api", {"v1"});
  EXPECT_EQ(list("acme/api"), Names{"v1"});
  EXPECT_EQ(list(""), Names{"acme"});
  EXPECT_EQ(catalog_requests(), 1u) << "a registry that has none is not asked again";
}

TEST_F(CatalogNames, AreListedWhereTheyBelong) {
  put_catalog({"acme/api", "acme/web/next", "nginx", "acmes"});
  put_tags("acme/web", {"v1"});
  EXPECT_EQ(list(""), (Names{"acme", "acmes", "nginx"}));
  EXPECT_EQ(list("acme"), (Names{"api", "web"}));
  EXPECT_EQ(list("acme/web"), (Names{"v1", "next"}));
  EXPECT_EQ(catalog_requests(), 1u);
}

TEST_F(CatalogNames, AreLookedUpWithoutARequest) {
  put_catalog({"acme/api", "acme/web/next"});
  list("acme");
  const size_t before = requests();
  for (const char* name : {"api", "web"}) {
    std::optional<Result<fs::Child>> found = lookup_now("acme", name);
    ASSERT_TRUE(found) << name;
    EXPECT_TRUE(*found) << name;
  }
  EXPECT_FALSE(lookup_now("acme", "ap"));
  EXPECT_EQ(requests(), before);
}

TEST_F(CatalogNames, DoNotProveThatAnotherIsAbsent) {
  put_catalog({"acme/api"});
  put_tags("acme/hidden", {"v1"});
  EXPECT_EQ(list("acme"), Names{"api"});
  EXPECT_TRUE(lookup("acme", "hidden"));
  EXPECT_EQ(list("acme/hidden"), Names{"v1"});
}

TEST_F(CatalogNames, AreAskedForAgainWhenTheirTimeIsOver) {
  put_catalog({"one"});
  EXPECT_EQ(list(""), Names{"one"});
  put_catalog({"two"});
  EXPECT_EQ(list(""), Names{"one"});
  clock_.advance(kTagTtl);
  EXPECT_EQ(list(""), Names{"two"});
}

TEST_F(CatalogNames, StandBesideTagsAndEachOnce) {
  put_catalog({"acme/v1", "acme/api"});
  put_tags("acme", {"v1", "v2"});
  EXPECT_EQ(list("acme"), (Names{"v1", "v2", "api"}));
}

TEST_F(CatalogNames, AreAskedForOnceInALongWhileWhereTagsAreListed) {
  put_catalog({"acme/api"});
  put_tags("acme", {"v1"});
  put_tags("other", {"v1"});
  EXPECT_EQ(list("acme"), (Names{"v1", "api"}));
  clock_.advance(kTagTtl);
  put_catalog({"acme/api", "acme/web"});
  EXPECT_EQ(list("acme"), (Names{"v1", "api"})) << "an older one does";
  EXPECT_EQ(list("other"), Names{"v1"});
  EXPECT_EQ(catalog_requests(), 1u);
  EXPECT_EQ(list(""), (Names{"acme", "other"})) << "here they are what is asked for";
  EXPECT_EQ(catalog_requests(), 2u);
  EXPECT_EQ(list("acme"), (Names{"v1", "api", "web"}));
  clock_.advance(fs::kOlderCatalogMemory);
  list("acme");
  EXPECT_EQ(catalog_requests(), 3u);
}

TEST_F(CatalogNames, OfARegistryThatFailsAreNotAskedForAtEachListingOfTags) {
  transport_.replace(catalog_url(), {.status = 503});
  put_tags("acme", {"v1"});
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(list("acme"), Names{"v1"});
    clock_.advance(kTagTtl);
  }
  EXPECT_EQ(catalog_requests(), 1u);
  list("");
  EXPECT_EQ(catalog_requests(), 2u) << "whoever lists the registry itself wants them";
}

TEST_F(CatalogNames, ThatAreSlowKeepAListingOfTagsForASecondAtMostAndOnce) {
  transport_.replace(catalog_url(), held());
  put_tags("acme", {"v1"});
  EXPECT_EQ(list("acme"), Names{"v1"});
  clock_.advance(kTagTtl);
  EXPECT_EQ(list("acme"), Names{"v1"});
  EXPECT_EQ(catalog_requests(), 1u);
}

TEST_F(CatalogNames, ThatEndAsAnArchiveAreNotShown) {
  put_catalog({"acme/good", "acme/bad.tar"});
  EXPECT_EQ(list("acme"), Names{"good"});
}

TEST_F(CatalogNames, AreNotAskedForWhenATagIsListed) {
  put_catalog({"acme/api"});
  put_image("acme/api", "v1", make_image({}));
  list("acme/api/v1");
  EXPECT_EQ(catalog_requests(), 0u);
}

TEST_F(CatalogNames, AreNotAskedForOffline) {
  put_catalog({"acme/api"});
  list("", fs::Ask::last_known);
  EXPECT_EQ(requests(), 0u);
}

TEST_F(CatalogNames, AreKeptForWhenNobodyIsAsked) {
  put_catalog({"acme/api", "acme/web/next"});
  put_tags("acme/api", {"v1"});
  list("");
  list("acme/api");
  const size_t before = requests();
  // Another mount, later.
  fs::ImageResolver resolver{client_, *store_, *refs_, clock_, log_.log(), kTagTtl, /*offline=*/true};
  fs::NameRules rules{resolver, *refs_, log_.log()};
  auto names_in = [&](const std::string& path) {
    Names names;
    Result<fs::Listing> listing = rules.list(at(path), fs::Ask::last_known);
    if (!listing) return Names{"error: " + listing.error().context()};
    for (const fs::ListedName& name : listing->names) names.push_back(name.name);
    return names;
  };
  EXPECT_EQ(names_in(""), Names{"acme"});
  EXPECT_EQ(names_in("acme"), (Names{"api", "web"}));
  EXPECT_EQ(names_in("acme/web"), Names{"next"});
  EXPECT_TRUE(rules.lookup(at("acme"), "web", fs::Ask::last_known)) << "what is listed is there";
  EXPECT_TRUE(rules.lookup(at("acme/web"), "next", fs::Ask::last_known));
  EXPECT_FALSE(rules.lookup(at("acme"), "other", fs::Ask::last_known));
  EXPECT_EQ(requests(), before);
}

TEST_F(CatalogNames, ServeWhenTheRegistryFailsAndNotWhenItSaysThatItHasNone) {
  put_catalog({"acme/api"});
  list("");
  clock_.advance(fs::kOlderCatalogMemory);
  transport_.replace(catalog_url(), {.status = 503});
  EXPECT_EQ(list(""), Names{"acme"});
  clock_.advance(fs::kOlderCatalogMemory);
  transport_.replace(catalog_url(), {.status = 403});
  EXPECT_EQ(list(""), Names{});
}

TEST_F(CatalogNames, OfADiskThatLiesAreNotShown) {
  ASSERT_TRUE(refs_->put_catalog(kHost, {"../../etc", "good/one", "/abs", "U/C"}));
  EXPECT_EQ(list("", fs::Ask::last_known), Names{"good"});
  EXPECT_EQ(refs_->repositories(), Names{}) << "a catalog makes none of its repositories known";
}

TEST_F(CatalogNames, OfAChildFieldAreKeptForWhenNobodyIsAsked) {
  transport_.replace(tags_url("proj"), {.body = R"({"child":["img"],"manifest":{},"name":"proj","tags":["v1"]})"});
  list("proj");
  clock_.advance(kTagTtl);
  const size_t before = requests();
  EXPECT_EQ(list("proj", fs::Ask::last_known), (Names{"v1", "img"}));
  EXPECT_TRUE(lookup("proj", "img", fs::Ask::last_known));
  EXPECT_EQ(requests(), before);
}

TEST_F(CatalogNames, OfAChildFieldAreListedAndLookedUpWithoutARequest) {
  transport_.replace(tags_url("proj"), {.body = R"({"child":["img","..","a/b","sub","",7],"manifest":{},"name":"proj",)"
                                                R"("tags":[]})"});
  EXPECT_EQ(list("proj"), (Names{"img", "sub"}));
  const size_t before = requests();
  std::optional<Result<fs::Child>> found = lookup_now("proj", "img");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ(requests(), before);
}

}  // namespace
}  // namespace regfs::test::catalog_names_test
