// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "registry/names.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_transport.h"
#include "tests/support/memory_log.h"

namespace regfs::registry::catalog_test {
namespace {

using namespace std::chrono_literals;
using List = std::vector<std::string>;

const std::string kCatalog = "https://reg.example/v2/_catalog?n=1000";
const std::string kNext = "https://reg.example/v2/_catalog?last=acme%2Fapi&n=2&orderby=";

test::ScriptedAnswer page(const std::string& names, const std::string& link = "") {
  test::ScriptedAnswer answer{.body = R"({"repositories": [)" + names + "]}"};
  if (!link.empty()) answer.headers = {{"Link", "<" + link + R"(>; rel="next")"}};
  return answer;
}

class CatalogTest : public ::testing::Test {
 protected:
  Result<Catalog> ask() { return names_.catalog("reg.example", 5s); }

  test::FakeTransport transport_;
  test::FakeClock clock_;
  test::MemoryLog log_{clock_};
  const ClientOptions options_;
  RateLimits limits_{log_.log()};
  Caller caller_{transport_};
  Endpoints endpoints_{{}};
  TokenSource tokens_{caller_, endpoints_, clock_, options_};
  Exchange exchange_{caller_, endpoints_, tokens_, clock_, options_, limits_};
  Names names_{exchange_, clock_, log_.log()};
};

TEST_F(CatalogTest, IsAskedForOnceWhereItFails) {
  for (int status : {401, 403, 404, 405, 429, 500, 503}) {
    transport_.replace(kCatalog, {.status = status, .headers = {{"Retry-After", "1"}}});
    const size_t before = transport_.requests().size();
    EXPECT_FALSE(ask()) << status;
    EXPECT_EQ(transport_.requests().size(), before + (status == 401 ? 2u : 1u)) << status << ", 401 asks the root why";
  }
}

TEST_F(CatalogTest, IsNotAskedOfRegistriesThatAreKnownToShowNone) {
  for (const char* host : {"docker.io", "ghcr.io", "quay.io", "gcr.io", "eu.gcr.io", "us-docker.pkg.dev",
                           "registry.cn-hangzhou.aliyuncs.com", "public.ecr.aws", "registry.gitlab.com"}) {
    Result<Catalog> none = names_.catalog(host, 5s);
    ASSERT_FALSE(none) << host;
    EXPECT_TRUE(none.error().is(Errc::unsupported)) << host;
  }
  EXPECT_EQ(transport_.requests().size(), 0u);
}

TEST_F(CatalogTest, IsAnErrorWhereItIsNoCatalog) {
  for (const char* body : {"<html>", "[]", "{}", R"({"repositories": "acme"})", R"({"repositories": ["a)"}) {
    transport_.replace(kCatalog, {.body = body});
    EXPECT_FALSE(ask()) << body;
  }
}

TEST_F(CatalogTest, LeavesOutNamesThatAreNone) {
  transport_.on(kCatalog,
                page(R"("../../etc", "/abs", "a//b", "", "..", 7, null, "Upper/Case", "x\u0000y", "good/one")"));
  Result<Catalog> catalog = ask();
  ASSERT_TRUE(catalog);
  EXPECT_EQ(catalog->repositories, List{"good/one"});
  EXPECT_FALSE(catalog->complete);
}

TEST_F(CatalogTest, IsCutAtItsBoundsAndNotTakenForWhole) {
  for (size_t i = 0; i <= kMaxCatalogPages; ++i) {
    const std::string url = i == 0 ? kCatalog : "https://reg.example/v2/_catalog?p=" + std::to_string(i);
    transport_.on(url, page("\"r" + std::to_string(i) + "\"", "/v2/_catalog?p=" + std::to_string(i + 1)));
  }
  Result<Catalog> catalog = ask();
  ASSERT_TRUE(catalog);
  EXPECT_EQ(catalog->repositories.size(), kMaxCatalogPages);
  EXPECT_FALSE(catalog->complete);
}

TEST_F(CatalogTest, OfWhichALaterPageFailsIsWhatCame) {
  transport_.on(kCatalog, page(R"("acme/api")", kNext));
  for (test::ScriptedAnswer second : {test::ScriptedAnswer{.status = 500}, test::ScriptedAnswer{.body = "<html>"},
                                      test::fails(TransportFailure::broken)}) {
    transport_.replace(kNext, second);
    Result<Catalog> catalog = ask();
    ASSERT_TRUE(catalog);
    EXPECT_EQ(catalog->repositories, List{"acme/api"});
    EXPECT_FALSE(catalog->complete);
  }
}

TEST_F(CatalogTest, DoesNotGoOnAtAnotherHost) {
  transport_.on(kCatalog, page(R"("acme/api")", "https://evil.example/v2/_catalog"));
  Result<Catalog> catalog = ask();
  ASSERT_TRUE(catalog);
  EXPECT_FALSE(catalog->complete);
  EXPECT_EQ(transport_.requests().size(), 1u);
}

TEST_F(CatalogTest, EndsALinkThatLeadsBack) {
  transport_.on(kCatalog, page(R"("a")", "/v2/_catalog?n=1000"));
  EXPECT_EQ(ask()->repositories, List{"a"});
  EXPECT_EQ(transport_.requests().size(), 1u);
}

TEST_F(CatalogTest, IsWholeWithAllItsPages) {
  transport_.on(kCatalog, page(R"("acme/api")", "/v2/_catalog?last=acme%2Fapi&n=2&orderby="));
  transport_.on(kNext, page(R"("nginx")"));
  Result<Catalog> catalog = ask();
  ASSERT_TRUE(catalog);
  EXPECT_EQ(catalog->repositories, (List{"acme/api", "nginx"}));
  EXPECT_TRUE(catalog->complete);
}

TEST_F(CatalogTest, OfNothingIsWhole) {
  transport_.on(kCatalog, {.body = R"({"repositories": null})"});
  EXPECT_TRUE(ask()->complete);
}

TEST_F(CatalogTest, HasAScopeOfItsOwn) {
  transport_.on(kCatalog, {.status = 401, .headers = {{"WWW-Authenticate", R"(Bearer realm="https://a.example/t")"}}});
  transport_.on(kCatalog, page(R"("acme/api")"));
  transport_.on("https://a.example/t?scope=registry%3Acatalog%3A%2A", {.body = R"({"token": "t"})"});
  EXPECT_EQ(ask()->repositories, List{"acme/api"});
}

TEST_F(CatalogTest, IsNotWaitedForAsLongAsAnythingElse) {
  transport_.on(kCatalog, page(""));
  ASSERT_TRUE(ask());
  EXPECT_EQ(transport_.requests()[0].stall_timeout, 5s);
  EXPECT_EQ(transport_.requests()[0].connect_timeout, 5s);
}

}  // namespace
}  // namespace regfs::registry::catalog_test
