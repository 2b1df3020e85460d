// SPDX-License-Identifier: MIT
// Whom a download asks, and what it tells them: redirects, tokens, foreign layers.
#include <gtest/gtest.h>

#include <string>

#include "registry/blob_download.h"
#include "registry/redirect.h"
#include "tests/registry/download_world.h"

namespace regfs::registry::blob_download_route_test {
namespace {

using test::fails;
using BlobDownloadRouteTest = DownloadTest;

TEST_F(BlobDownloadRouteTest, EndsEndlessRedirects) {
  transport_.on(url_, redirect(url_));
  EXPECT_TRUE(bring(whole()).error().is(Errc::bad_response));
  EXPECT_EQ(transport_.requests().size(), kMaxRedirects + 1u);
}

TEST_F(BlobDownloadRouteTest, RefusesARedirectToPlainHttp) {
  transport_.on(url_, redirect("http://cdn.example/x"));
  EXPECT_TRUE(bring(whole()).error().is(Errc::bad_response));
  EXPECT_EQ(transport_.requests().size(), 1u);
}

TEST_F(BlobDownloadRouteTest, GivesUpOnARegistryThatRefusesEveryToken) {
  transport_.on(url_, {.status = 401, .headers = {challenge_}});
  transport_.on(token_url_, {.body = R"({"token": "t"})"});
  EXPECT_TRUE(bring(whole()).error().is(Errc::unauthorized));
  EXPECT_EQ(transport_.count(url_), 3u);
}

TEST_F(BlobDownloadRouteTest, ShowsNoQueryOfASignedUrlInItsError) {
  transport_.on(url_, redirect("https://cdn.example/x?sig=secret"));
  transport_.on("https://cdn.example/x?sig=secret", {.status = 403});
  Result<void> outcome = bring(whole());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().context().find("secret"), std::string::npos);
  EXPECT_NE(outcome.error().context().find("cdn.example: 403"), std::string::npos);
}

TEST_F(BlobDownloadRouteTest, KeepsTheTokenFromTheStorageThatARedirectLeadsTo) {
  transport_.on(url_, {.status = 401, .headers = {challenge_}});
  transport_.on(url_, redirect("https://cdn.example/x?sig=1"));
  transport_.on("https://cdn.example/x?sig=1", full());
  transport_.on(token_url_, {.body = R"({"token": "t"})"});
  ASSERT_TRUE(bring(whole()));
  EXPECT_EQ(transport_.requests_to(url_)[1].headers.first("Authorization"), "Bearer t");
  EXPECT_FALSE(transport_.requests_to("https://cdn.example/x?sig=1")[0].headers.first("Authorization"));
}

TEST_F(BlobDownloadRouteTest, AsksTheRegistryAgainWhenASignedUrlHasExpired) {
  transport_.on(url_, redirect("https://cdn.example/old"));
  transport_.on(url_, redirect("https://cdn.example/new"));
  transport_.on("https://cdn.example/old", {.status = 403});
  transport_.on("https://cdn.example/new", full());
  ASSERT_TRUE(bring(whole()));
  EXPECT_EQ(sink_->bytes(), blob_);
}

TEST_F(BlobDownloadRouteTest, OffersNothingToStorageThatAsksForCredentials) {
  transport_.on(url_, redirect("https://evil.example/x"));
  transport_.on("https://evil.example/x", {.status = 401, .headers = {challenge_}});
  EXPECT_TRUE(bring(whole()).error().is(Errc::unauthorized));
  EXPECT_EQ(transport_.count("https://evil.example/x"), 2u);
  EXPECT_EQ(transport_.count(token_url_), 0u);
}

TEST_F(BlobDownloadRouteTest, GetsANewTokenWhenOneExpiresInTheMiddle) {
  transport_.on(url_, {.status = 401, .headers = {challenge_}});
  transport_.on(url_, broken_after(3'000));
  transport_.on(url_, {.status = 401, .headers = {challenge_}});
  transport_.on(url_, partial(3'000, 10'000));
  transport_.on(token_url_, {.body = R"({"token": "one"})"});
  transport_.on(token_url_, {.body = R"({"token": "two"})"});
  ASSERT_TRUE(bring(whole()));
  EXPECT_EQ(sink_->bytes(), blob_);
  EXPECT_EQ(transport_.requests_to(url_)[3].headers.first("Authorization"), "Bearer two");
}

TEST_F(BlobDownloadRouteTest, FallsBackToPlainHttpOnLoopback) {
  BlobRange local = whole();
  local.repository.host = "127.0.0.1:5000";
  std::string path = "://127.0.0.1:5000/v2/acme/api/blobs/" + digest_.str();
  transport_.on("https" + path, fails(TransportFailure::not_tls));
  transport_.on("http" + path, full());
  ASSERT_TRUE(bring(local));
  EXPECT_EQ(sink_->bytes(), blob_);
}

TEST_F(BlobDownloadRouteTest, AsksForeignUrlsWithoutCredentialsOnceTheRegistryLacksTheBlob) {
  BlobRange foreign = whole();
  foreign.urls = {"https://one.example/layer", "https://two.example/layer"};
  transport_.on(url_, {.status = 401, .headers = {challenge_}});
  transport_.on(url_, {.status = 404});
  transport_.on(token_url_, {.body = R"({"token": "t"})"});
  transport_.on("https://one.example/layer", {.status = 403});
  transport_.on("https://two.example/layer", full());
  ASSERT_TRUE(bring(foreign));
  EXPECT_EQ(sink_->bytes(), blob_);
  for (const std::string& url : foreign.urls) {
    ASSERT_EQ(transport_.count(url), 1u);
    EXPECT_FALSE(transport_.requests_to(url)[0].headers.first("Authorization")) << url;
  }
}

TEST_F(BlobDownloadRouteTest, FailsWhenNoForeignUrlHasTheBlob) {
  BlobRange foreign = whole();
  foreign.urls = {"https://one.example/layer"};
  transport_.on(url_, {.status = 404});
  transport_.on("https://one.example/layer", {.status = 404});
  EXPECT_TRUE(bring(foreign).error().is(Errc::missing_content));
}

TEST_F(BlobDownloadRouteTest, DoesNotAskForeignUrlsWhenTheRegistryRefuses) {
  BlobRange foreign = whole();
  foreign.urls = {"https://one.example/layer"};
  transport_.on(url_, {.status = 403});
  EXPECT_TRUE(bring(foreign).error().is(Errc::forbidden));
  EXPECT_EQ(transport_.requests().size(), 1u);
}

}  // namespace
}  // namespace regfs::registry::blob_download_route_test
