// SPDX-License-Identifier: MIT
// What a registry does wrong with its lists, row by row of the list of faults: R27 to R32, R35, and H28 to H30.
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <memory>

#include "tests/mount/faults_fixture.h"
#include "tests/support/process_facts.h"

namespace regfs::test::faults_registry_lists_test {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;
using Names = std::vector<std::string>;

std::string tag_page(const Names& tags) {
  std::string text;
  for (const std::string& tag : tags) text += (text.empty() ? "\"" : ",\"") + tag + "\"";
  return R"({"name":"app","tags":[)" + text + "]}";
}

// The number behind "page=", 0 where there is none.
size_t page_of(const ScriptedExchange& exchange) {
  const std::string& query = exchange.request.query;
  const size_t at = query.find("page=");
  size_t page = 0;
  if (at != std::string::npos) std::from_chars(query.data() + at + 5, query.data() + query.size(), page);
  return page;
}

using Fields = std::vector<std::pair<std::string, std::string>>;

// Two pages of which the first names the second in these fields.
Fault two_pages(const Fields& fields) {
  return rewrites([fields](const ScriptedExchange& exchange, RawAnswer& answer) {
    answer.remove("Link");
    if (page_of(exchange) == 2) return void(answer.set_body(tag_page({"second"})));
    answer.set_body(tag_page({"first"}));
    for (const auto& [name, value] : fields) answer.add(name, value);
  });
}

// Page after page, each made by its number and followed by the next as long as `pages` last.
Fault pages(size_t pages, std::function<std::string(size_t)> page) {
  return rewrites([pages, page = std::move(page)](const ScriptedExchange& exchange, RawAnswer& answer) {
    const size_t number = page_of(exchange);
    answer.remove("Link").set_body(page(number));
    if (number + 1 < pages) {
      answer.set("Link", "<" + exchange.request.path + "?page=" + std::to_string(number + 1) + ">; rel=\"next\"");
    }
  });
}

class RegistryFaultsOfLists : public RegistryFaults {
 protected:
  void break_list(const std::string& repository, Fault fault) {
    registry_.list_names(repository, {"honest"});
    registry_.break_path(FakeRegistry::tags_path(repository), std::move(fault));
  }
  ListOutcome listing_of(const MountedRegfs& mount, const std::string& repository) const {
    return list_directory(mount / registry_.host() / repository);
  }
  size_t list_requests(const std::string& repository) const {
    return registry_.journal().count("GET", FakeRegistry::tags_path(repository));
  }
};

TEST_F(RegistryFaultsOfLists, R27_PagesAreFollowedHoweverTheirLinkIsWritten) {
  const std::string path = FakeRegistry::tags_path("app");
  const std::string next = path + "?page=2";
  const std::string host = registry_.host();
  const std::vector<Fields> forms{
      {{"Link", "<" + next + ">; rel=\"next\""}},
      {{"Link", "<http://" + host + next + ">; rel=\"next\""}},
      {{"Link", "<HTTP://" + host + next + ">; rel=\"next\""}},
      {{"Link", "<//" + host + next + ">; rel=\"next\""}},
      {{"Link", "<list?page=2>; rel=\"next\""}},
      {{"Link", "<?page=2>; rel=\"next\""}},
      {{"Link", "<./list?page=2>; rel=\"next\""}},
      {{"Link", "<../tags/list?page=2>; rel=\"next\""}},
      {{"Link", "<" + next + ">; rel=next"}},
      {{"Link", "<" + next + ">;rel=\"next\""}},
      {{"Link", "  <" + next + ">  ;  rel = \"next\"  "}},
      {{"Link", "<" + next + ">; REL=\"Next\""}},
      {{"Link", "<" + next + ">; rel=\"last next\""}},
      {{"Link", "<" + next + ">; title=\"a, <b>; rel=prev\"; rel=\"next\""}},
      {{"Link", "<" + path + "?page=9>; rel=\"prev\", <" + next + ">; rel=\"next\""}},
      {{"Link", "<" + path + "?page=9>; rel=\"prev\""}, {"Link", "<" + next + ">; rel=\"next\""}},
      {{"link", "<" + next + "&last=a%2Fb%3D%3D&n=100>; rel=\"next\""}},
      {{"LINK", "<" + next + "#here>; rel=\"next\""}},
  };
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (size_t form = 0; form < forms.size(); ++form) {
    // The links are those of "app": a listing that is read again at the next form needs another time to live.
    const std::string repository = "app" + std::to_string(form);
    Fields fields = forms[form];
    for (auto& [name, value] : fields) {
      for (size_t at = value.find("/app/"); at != std::string::npos; at = value.find("/app/", at + 1)) {
        value.replace(at, 5, "/" + repository + "/");
      }
    }
    break_list(repository, two_pages(fields));
    EXPECT_EQ(listing_of(mount, repository).names, (Names{"first", "second"})) << fields.front().second;
    EXPECT_EQ(list_requests(repository), 2u) << fields.front().second;
  }
}

TEST_F(RegistryFaultsOfLists, R27_ALinkThatIsNoNextPageEndsTheList) {
  const std::string path = FakeRegistry::tags_path("app");
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  break_list("app", two_pages({{"Link", "<" + path + "?page=2>; rel=\"prev\""}, {"Link", "<" + path + "?page=2>"}}));
  EXPECT_EQ(listing_of(mount, "app").names, Names{"first"});
}

TEST_F(RegistryFaultsOfLists, R27_ANextPageThatCannotBeFollowedIsAnErrorAndNoShortList) {
  const std::string path = FakeRegistry::tags_path("app");
  for (const std::string& link :
       {path + "?page=2; rel=\"next\"", "<" + path + "?page=2; rel=\"next\"", std::string("<>; rel=next")}) {
    const MountedRegfs mount;
    REGFS_ASSERT_MOUNTED(mount);
    break_list("app", two_pages({{"Link", link}}));
    EXPECT_EQ(listing_of(mount, "app").error, EIO) << link;
    EXPECT_TRUE(contains(mount.log(), "Link")) << mount.log();
  }
}

TEST_F(RegistryFaultsOfLists, R28_ALinkToItselfOrBackEnds) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const std::string self = FakeRegistry::tags_path("itself");
  break_list("itself", rewrites([self](const ScriptedExchange&, RawAnswer& answer) {
               answer.set_body(tag_page({"only"})).set("Link", "<" + self + ">; rel=\"next\"");
             }));
  EXPECT_EQ(listing_of(mount, "itself").names, Names{"only"});
  EXPECT_EQ(list_requests("itself"), 1u);

  break_list("circle", rewrites([](const ScriptedExchange& exchange, RawAnswer& answer) {
               const size_t page = page_of(exchange);
               answer.set_body(tag_page({"tag" + std::to_string(page)}));
               answer.set("Link", "<?page=" + std::to_string(page % 3 + 1) + ">; rel=\"next\"");
             }));
  EXPECT_EQ(listing_of(mount, "circle").names, (Names{"tag0", "tag1", "tag2", "tag3"}));
  EXPECT_EQ(list_requests("circle"), 4u);
}

TEST_F(RegistryFaultsOfLists, R28_EmptyPagesContinue) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  break_list("app", pages(5, [](size_t page) {
               return page == 1   ? tag_page({"early"})
                      : page == 4 ? tag_page({"late"})
                      : page == 2 ? R"({"name":"app","tags":null})"
                                  : tag_page({});
             }));
  EXPECT_EQ(listing_of(mount, "app").names, (Names{"early", "late"}));
}

TEST_F(RegistryFaultsOfLists, R28_PagesWithoutEndAreAnErrorAndNotAShortList) {
  constexpr size_t kMostPages = 2'000;
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  break_list("app", pages(SIZE_MAX, [](size_t page) { return tag_page({"tag" + std::to_string(page)}); }));
  EXPECT_EQ(listing_of(mount, "app").error, EPROTO);
  EXPECT_LE(list_requests("app"), kMostPages + 1);
  EXPECT_GT(list_requests("app"), kMostPages / 2);
}

TEST_F(RegistryFaultsOfLists, R28_MoreTagsThanAListMayHaveAreAnErrorAndNotAShortList) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  break_list("app", pages(100, [](size_t page) {
               Names tags;
               for (size_t number = 0; number < 50'000; ++number) {
                 tags.push_back("v" + std::to_string(page) + "." + std::to_string(number));
               }
               return tag_page(tags);
             }));
  EXPECT_EQ(listing_of(mount, "app").error, EPROTO);
  EXPECT_LE(list_requests("app"), 12u);
}

TEST_F(RegistryFaultsOfLists, R29_AThirdPageThatFailsForEverIsAnErrorAndNotAShortList) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  struct Case {
    std::string line;
    std::string body;
    int error;
  };
  const std::vector<Case> cases{{"HTTP/1.1 500 Broken", "", EREMOTEIO},
                                {"HTTP/1.1 404 Not Found", "", EIO},
                                {"HTTP/1.1 405 Not Allowed", "", EIO},
                                {"HTTP/1.1 403 Forbidden", "", EACCES},
                                {"HTTP/1.1 200 OK", R"({"name":"app","tags":["a")", EPROTO},
                                {"HTTP/1.1 200 OK", "<html></html>", EPROTO}};
  for (size_t number = 0; number < cases.size(); ++number) {
    const Case& each = cases[number];
    const std::string repository = "app" + std::to_string(number);
    break_list(repository, rewrites([each](const ScriptedExchange& exchange, RawAnswer& answer) {
                 const size_t page = page_of(exchange);
                 answer.set_body(tag_page({"tag" + std::to_string(page)}));
                 answer.set("Link", "<?page=" + std::to_string(page + 1) + ">; rel=\"next\"");
                 if (page == 2) answer = RawAnswer{.line = each.line}.set_body(each.body);
               }));
    const ListOutcome listing = listing_of(mount, repository);
    EXPECT_EQ(listing.error, each.error) << each.line << "\n" << mount.log();
    EXPECT_EQ(listing.names, Names{}) << each.line;
    EXPECT_LE(list_requests(repository), 2 + kManyRequests) << each.line;
  }
}

TEST_F(RegistryFaultsOfLists, R29_AThirdPageThatIsResetForEverIsAnErrorAndNotAShortList) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  break_list("app", speaks([](const ScriptedExchange& exchange) {
               const size_t page = page_of(exchange);
               if (page == 2) {
                 exchange.client.end_with_reset();
                 return false;
               }
               RawAnswer answer = honest_answer(exchange);
               answer.set("Link", "<?page=" + std::to_string(page + 1) + ">; rel=\"next\"");
               return send_answer(exchange, answer);
             }));
  EXPECT_EQ(listing_of(mount, "app").error, EIO);
}

TEST_F(RegistryFaultsOfLists, R30_WithoutATagListTheDirectPathStillOpens) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const auto& [status, error] : {std::pair(405, EOPNOTSUPP), std::pair(404, ENOENT)}) {
    const LayerUnderTest one = push_layer(kSmall);
    registry_.break_path(FakeRegistry::tags_path(one.repository), answers(status));
    EXPECT_EQ(listing_of(mount, one.repository).error, error) << status;
    expect_whole(mount, one);
    EXPECT_EQ(listing_of(mount, one.repository).error, error) << status;
  }
}

TEST_F(RegistryFaultsOfLists, R31_AListThatIsNoListIsAnErrorAndNoEmptyDirectory) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const std::vector<std::pair<Fault, int>> cases{
      {answers_html(), EPROTO},
      {cuts_at(12), EPROTO},
      {hangs_up_at(12), EIO},
      {rewrites([](const ScriptedExchange&, RawAnswer& answer) { answer.set_body("[]"); }), EPROTO},
      {rewrites([](const ScriptedExchange&, RawAnswer& answer) { answer.set_body("{}"); }), EPROTO},
      {rewrites([](const ScriptedExchange&, RawAnswer& answer) { answer.set_body(R"({"tags":"latest"})"); }), EPROTO}};
  for (const auto& [fault, error] : cases) {
    const LayerUnderTest one = push_layer(kSmall);
    registry_.break_path(FakeRegistry::tags_path(one.repository), fault);
    EXPECT_EQ(listing_of(mount, one.repository).error, error) << mount.log();
    EXPECT_EQ(stat_error(tar_of(mount, one)), 0) << "the direct path still opens";
  }
}

TEST_F(RegistryFaultsOfLists, R32_WhateverTheCatalogSaysTheRootListsWhatIsKnown) {
  const std::vector<Fault> catalogs{
      answers(404),
      answers(401),
      answers(405),
      answers(500),
      answers_html(),
      rewrites([](const ScriptedExchange&, RawAnswer& answer) {
        answer.line = "HTTP/1.1 200 OK";
        answer.set_body(R"({"repositories":["../../etc","/abs","a//b","","..",7,"Upper/Case","x\u0000y"]})");
      })};
  for (const Fault& catalog : catalogs) {
    const LayerUnderTest one = push_layer(kSmall);
    registry_.break_path("/v2/_catalog", catalog);
    const MountedRegfs mount({.host = registry_.host()});
    REGFS_ASSERT_MOUNTED(mount);
    EXPECT_EQ(list_directory(mount.mountpoint()).error, 0);
    EXPECT_EQ(read_file(mount / one.repository / "latest" / "linux-amd64.tar").error, 0) << mount.log();
    EXPECT_EQ(list_directory(mount.mountpoint()).names, Names{one.repository});
  }
}

TEST_F(RegistryFaultsOfLists, R32_ACatalogThatStallsFailsNoListing) {
  const LayerUnderTest one = push_layer(kSmall);
  registry_.break_path("/v2/_catalog", holds());
  const MountedRegfs mount({.host = registry_.host()});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(stat_error(mount / one.repository / "latest"), 0);
  EXPECT_EQ(list_directory(mount.mountpoint()).names, Names{one.repository});
  registry_.mend("/v2/_catalog");
}

class HostileLists : public RegistryFaultsOfLists {
 protected:
  static Fault says(const std::string& body) {
    return rewrites([body](const ScriptedExchange&, RawAnswer& answer) {
      answer.line = "HTTP/1.1 200 OK";
      answer.set_body(body);
    });
  }
};

TEST_F(HostileLists, H28_OnlyWhatMayBeATagIsShown) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  break_list("app", says(R"({"name":"app","tags":["good","a/b","..",".","","x\u0000y","x\ny",7,null,{"a":1},["b"],")" +
                         std::string(1000, 'a') + R"(","-x","\u00fc"]})"));
  EXPECT_EQ(listing_of(mount, "app").names, Names{"good"});
  EXPECT_TRUE(contains(mount.log(), "13 names in the tag list are no tags"));
  break_list("bad", says("{\"name\":\"bad\",\"tags\":[\"\xff\xfe\",\"good\"]}"));
  EXPECT_EQ(listing_of(mount, "bad").error, EPROTO) << "JSON is UTF-8";
}

TEST_F(HostileLists, H29_NamesOfTheCatalogThatAreNoneAreHidden) {
  registry_.break_path("/v2/_catalog", says(R"({"repositories":["../../etc","/abs","a//b","good/one","..",7,"U/C"]})"));
  const MountedRegfs mount({.host = registry_.host()});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(list_directory(mount.mountpoint()).names, Names{"good"});
  EXPECT_EQ(list_directory(mount / "good").names, Names{"one"});
}

TEST_F(HostileLists, H30_OnlyValidChildrenBecomeDirectories) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  break_list("proj", says(R"({"child":["img","..","a/b","","/x","A",7],"manifest":{},"name":"proj","tags":["v1"]})"));
  EXPECT_EQ(listing_of(mount, "proj").names, (Names{"img", "v1"}));
}

TEST_F(RegistryFaultsOfLists, R35_AHundredThousandTagsAreListedWhole) {
  constexpr size_t kTags = 100'000;
  Names tags;
  for (size_t number = 0; number < kTags; ++number) tags.push_back("v" + std::to_string(kTags + number));
  registry_.list_names("app", tags);
  registry_.set_page_size(10'000);
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const auto begin = steady_clock::now();
  const ListOutcome listing = listing_of(mount, "app");
  EXPECT_LT(steady_clock::now() - begin, seconds(60));
  EXPECT_EQ(listing.error, 0) << mount.log();
  EXPECT_TRUE(listing.names == tags) << listing.names.size() << " tags";
  EXPECT_EQ(registry_.journal().count("", "/manifests/"), 0u);
  if (const char* const sanitized = std::getenv("REGFS_SANITIZED"); sanitized == nullptr || *sanitized == '\0') {
    if (memory_is_the_programs_own()) {
      EXPECT_LT(mount.anonymous_bytes(), 96u << 20);
    }
  }
}

}  // namespace
}  // namespace regfs::test::faults_registry_lists_test
