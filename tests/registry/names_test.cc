// SPDX-License-Identifier: MIT
#include "registry/names.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/sha256.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_transport.h"
#include "tests/support/memory_log.h"

namespace regfs::registry::names_test {
namespace {

using namespace std::chrono_literals;
using test::FakeTransport;

const Repository kRepository{"reg.example", "acme/api"};
const std::string kTags = "https://reg.example/v2/acme/api/tags/list";
const std::string kManifest = "https://reg.example/v2/acme/api/manifests/v1";
using Tags = std::vector<std::string>;

test::ScriptedAnswer page(const std::string& tags, const std::string& link = "") {
  test::ScriptedAnswer answer{.body = R"({"name": "acme/api", "tags": [)" + tags + "]}"};
  if (!link.empty()) answer.headers = {{"Link", "<" + link + R"(>; rel="next")"}};
  return answer;
}

class NamesTest : public ::testing::Test {
 protected:
  static ClientOptions fast() {
    ClientOptions options;
    options.backoff_first = options.backoff_longest = 1ms;
    return options;
  }
  std::string blob_url(const Digest& digest) const { return "https://reg.example/v2/acme/api/blobs/" + digest.str(); }
  Descriptor descriptor_of(const std::string& text) const { return {"", sha256_of(text), text.size(), {}}; }

  FakeTransport transport_;
  test::FakeClock clock_;
  test::MemoryLog log_{clock_};
  const ClientOptions options_ = fast();
  RateLimits limits_{log_.log()};
  Caller caller_{transport_};
  Endpoints endpoints_{{}};
  TokenSource tokens_{caller_, endpoints_, clock_, options_};
  Exchange exchange_{caller_, endpoints_, tokens_, clock_, options_, limits_};
  Names names_{exchange_, clock_, log_.log()};
  const Reference reference_{kRepository, "v1"};
};

TEST_F(NamesTest, SayWhenARepositoryDoesNotExist) {
  transport_.on(kTags, {.status = 404, .body = R"({"errors": [{"code": "NAME_UNKNOWN", "message": "unknown"}]})"});
  Result<TagList> tags = names_.tags(kRepository);
  ASSERT_FALSE(tags);
  EXPECT_TRUE(tags.error().is(Errc::not_found));
  EXPECT_NE(tags.error().context().find("NAME_UNKNOWN"), std::string::npos);
}

TEST_F(NamesTest, RefuseALinkToAnotherHost) {
  for (const char* link : {"https://evil.example/v2/acme/api/tags/list?last=a", "http://reg.example/v2/x",
                           "https://reg.example:8443/v2/x", "//evil.example/x"}) {
    FakeTransport transport;
    Caller caller(transport);
    TokenSource tokens(caller, endpoints_, clock_, options_);
    Exchange exchange(caller, endpoints_, tokens, clock_, options_, limits_);
    transport.on(kTags, page(R"("a")", link));
    Result<TagList> tags = Names(exchange, clock_, log_.log()).tags(kRepository);
    ASSERT_FALSE(tags) << link;
    EXPECT_TRUE(tags.error().is(Errc::bad_response));
    EXPECT_EQ(transport.requests().size(), 1u);
  }
}

TEST_F(NamesTest, FailAListWhoseThirdPageFails) {
  transport_.on(kTags, page(R"("a")", "/v2/acme/api/tags/list?last=a"));
  transport_.on(kTags + "?last=a", page(R"("b")", "/v2/acme/api/tags/list?last=b"));
  transport_.on(kTags + "?last=b", {.status = 500});
  Result<TagList> tags = names_.tags(kRepository);
  ASSERT_FALSE(tags);
  EXPECT_TRUE(tags.error().is(Errc::server_error));
}

TEST_F(NamesTest, FailAListThatIsAWebPage) {
  transport_.on(kTags, {.body = "<html>"});
  Result<TagList> tags = names_.tags(kRepository);
  ASSERT_FALSE(tags);
  EXPECT_TRUE(tags.error().is(Errc::malformed));
}

TEST_F(NamesTest, EndAListThatNeverEnds) {
  // Each page names one that was not seen before.
  for (size_t i = 0; i <= kMaxTagPages; ++i) {
    std::string url = i == 0 ? kTags : kTags + "?last=" + std::to_string(i);
    transport_.on(url, page("\"t" + std::to_string(i) + "\"", kTags + "?last=" + std::to_string(i + 1)));
  }
  Result<TagList> tags = names_.tags(kRepository);
  ASSERT_FALSE(tags);
  EXPECT_TRUE(tags.error().is(Errc::too_large));
  EXPECT_EQ(transport_.requests().size(), kMaxTagPages + 1);
}

TEST_F(NamesTest, EndALinkLoopWithTheTagsThatItHas) {
  transport_.on(kTags, page(R"("a", "b")", "/v2/acme/api/tags/list?last=b"));
  transport_.on(kTags + "?last=b", page(R"("c")", "/v2/acme/api/tags/list?last=b"));
  Result<TagList> tags = names_.tags(kRepository);
  ASSERT_TRUE(tags);
  EXPECT_EQ(tags->tags, (Tags{"a", "b", "c"}));
  EXPECT_EQ(transport_.requests().size(), 2u);
}

TEST_F(NamesTest, GatherAllPagesByRelativeAndAbsoluteLinks) {
  transport_.on(kTags, page(R"("a")", "/v2/acme/api/tags/list?last=a&orderby="));
  transport_.on(kTags + "?last=a&orderby=", page("", "https://reg.example/v2/acme/api/tags/list?next_page=gAAA%3D"));
  transport_.on(kTags + "?next_page=gAAA%3D", page(R"("b", "a")"));
  EXPECT_EQ(names_.tags(kRepository)->tags, (Tags{"a", "b"}));
}

TEST_F(NamesTest, DoNotAskForAPageSizeThatSomeRegistriesRefuse) {
  transport_.on(kTags, page(R"("a")"));
  ASSERT_TRUE(names_.tags(kRepository));
  EXPECT_EQ(transport_.requests()[0].url, kTags);
}

TEST_F(NamesTest, CountInTheLogWhatIsNoTag) {
  transport_.on(kTags, page(R"("a", "../etc", "")"));
  EXPECT_EQ(names_.tags(kRepository)->tags, Tags{"a"});
  EXPECT_TRUE(log_.contains("2 names"));
}

TEST_F(NamesTest, AskOnlyForTheHeadOfAManifest) {
  Digest digest = sha256_of("x");
  transport_.on(kManifest, {.headers = {{"Docker-Content-Digest", digest.str()},
                                        {"Content-Type", std::string(kOciIndex) + "; charset=utf-8"}}});
  Result<ManifestHead> head = names_.head_manifest(reference_);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->digest, digest);
  EXPECT_EQ(head->media_type, kOciIndex);
  EXPECT_EQ(transport_.requests()[0].method, "HEAD");
}

TEST_F(NamesTest, TakeAWrongDigestHeaderForNone) {
  transport_.on(kManifest, {.headers = {{"Docker-Content-Digest", "sha256:../../etc/passwd"}}});
  Result<ManifestHead> head = names_.head_manifest(reference_);
  ASSERT_TRUE(head);
  EXPECT_FALSE(head->digest);
}

TEST_F(NamesTest, FallBackToGetWhereHeadIsNotOffered) {
  for (int status : {405, 501}) {
    FakeTransport transport;
    Caller caller(transport);
    TokenSource tokens(caller, endpoints_, clock_, options_);
    Exchange exchange(caller, endpoints_, tokens, clock_, options_, limits_);
    transport.on(kManifest, {.status = status});
    transport.on(kManifest, {.body = "{}"});
    EXPECT_TRUE(Names(exchange, clock_, log_.log()).head_manifest(reference_));
    EXPECT_EQ(transport.requests()[1].method, "GET");
  }
}

TEST_F(NamesTest, AskOnceMoreWithGetForTheWordsOf429) {
  transport_.on(kManifest,
                {.status = 429, .headers = {{"Retry-After", "7200"}}, .body = "You have reached your limit."});
  Result<ManifestHead> head = names_.head_manifest(reference_);
  ASSERT_FALSE(head);
  EXPECT_TRUE(head.error().is(Errc::rate_limited));
  EXPECT_NE(head.error().context().find("You have reached your limit."), std::string::npos) << head.error().context();
  ASSERT_EQ(transport_.requests().size(), 2u);
  EXPECT_EQ(transport_.requests()[1].method, "GET");
}

TEST_F(NamesTest, AskOnceMoreWithGetForTheWordsOfARefusal) {
  for (int status : {401, 403}) {
    transport_.replace(kManifest, {.status = status});
    transport_.on(kManifest, {.status = status, .body = R"({"errors": [{"code": "DENIED", "message": "expired"}]})"});
    Result<ManifestHead> head = names_.head_manifest(reference_);
    ASSERT_FALSE(head);
    EXPECT_NE(head.error().context().find(std::to_string(status) + " DENIED \"expired\""), std::string::npos)
        << head.error().context();
  }
  std::vector<std::string> methods;
  for (const HttpRequest& request : transport_.requests_to(kManifest)) methods.push_back(request.method);
  EXPECT_EQ(methods, (std::vector<std::string>{"HEAD", "GET", "HEAD", "GET"}));
}

TEST_F(NamesTest, AskNoFurtherWhereTheChallengeSaysWhy) {
  transport_.on(
      kManifest,
      {.status = 401,
       .headers = {{"WWW-Authenticate", R"(Digest realm="https://a.example/t",error="insufficient_scope")"}}});
  Result<ManifestHead> head = names_.head_manifest(reference_);
  ASSERT_FALSE(head);
  EXPECT_NE(head.error().context().find(
                "acme/api:v1: credentials needed, or it does not exist (reg.example: 401 insufficient_scope"),
            std::string::npos)
      << head.error().context();
  EXPECT_EQ(transport_.count(kManifest), 1u);
}

TEST_F(NamesTest, TakeTheAnswerToGetWhereOnlyHeadIsRefused) {
  transport_.on(kManifest, {.status = 403});
  transport_.on(kManifest, {.headers = {{"Content-Type", "application/vnd.oci.image.index.v1+json"}}, .body = "{}"});
  Result<ManifestHead> head = names_.head_manifest(reference_);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->media_type, "application/vnd.oci.image.index.v1+json");
}

TEST_F(NamesTest, KeepARefusalWhoseWordsCannotBeHad) {
  for (const test::ScriptedAnswer& second : {test::fails(TransportFailure::broken), test::ScriptedAnswer{.status = 503},
                                             test::ScriptedAnswer{.status = 404}}) {
    transport_.replace(kManifest, {.status = 403});
    transport_.on(kManifest, second);
    Result<ManifestHead> head = names_.head_manifest(reference_);
    ASSERT_FALSE(head);
    EXPECT_TRUE(head.error().is(Errc::forbidden)) << head.error().context();
  }
}

TEST_F(NamesTest, DoNotFallBackToGetForATagThatDoesNotExist) {
  transport_.on(kManifest, {.status = 404});
  Result<ManifestHead> head = names_.head_manifest(reference_);
  ASSERT_FALSE(head);
  EXPECT_TRUE(head.error().is(Errc::not_found));
  EXPECT_EQ(transport_.requests().size(), 1u);
}

TEST_F(NamesTest, RefuseAManifestOverFourMebibytes) {
  transport_.on(kManifest, {.body = std::string(kMaxManifestBytes + 1, ' ')});
  Result<FetchedManifest> manifest = names_.manifest(reference_);
  ASSERT_FALSE(manifest);
  EXPECT_TRUE(manifest.error().is(Errc::too_large));
}

TEST_F(NamesTest, RefuseAnotherManifestThanTheDigestAskedFor) {
  Digest digest = sha256_of("wanted");
  transport_.on("https://reg.example/v2/acme/api/manifests/" + digest.str(), {.body = "other"});
  Result<FetchedManifest> manifest = names_.manifest({kRepository, digest});
  ASSERT_FALSE(manifest);
  EXPECT_TRUE(manifest.error().is(Errc::digest_mismatch));
}

TEST_F(NamesTest, TakeNoOtherStatusThan200ForAManifest) {
  for (int status : {204, 206, 304}) {
    FakeTransport transport;
    Caller caller(transport);
    TokenSource tokens(caller, endpoints_, clock_, options_);
    Exchange exchange(caller, endpoints_, tokens, clock_, options_, limits_);
    transport.on(kManifest, {.status = status, .body = "{}"});
    Result<FetchedManifest> manifest = Names(exchange, clock_, log_.log()).manifest(reference_);
    ASSERT_FALSE(manifest) << status;
    EXPECT_TRUE(manifest.error().is(Errc::bad_response));
  }
}

TEST_F(NamesTest, ComputeTheDigestOfAManifestFromItsBytes) {
  transport_.on(kManifest, {.headers = {{"Docker-Content-Digest", sha256_of("lie").str()},
                                        {"Content-Type", "Application/X; charset=utf-8"}},
                            .body = "{}"});
  Result<FetchedManifest> manifest = names_.manifest(reference_);
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->digest, sha256_of("{}"));
  EXPECT_EQ(manifest->media_type, "application/x");
  std::string accept = *transport_.requests()[0].headers.first("Accept");
  for (std::string_view type : {kDockerManifest, kDockerManifestList, kOciManifest, kOciIndex}) {
    EXPECT_NE(accept.find(type), std::string::npos) << type;
  }
}

TEST_F(NamesTest, RefuseABlobOfAnotherLength) {
  Descriptor descriptor = descriptor_of("config");
  for (const char* body : {"confi", "config2", ""}) {
    FakeTransport transport;
    Caller caller(transport);
    TokenSource tokens(caller, endpoints_, clock_, options_);
    Exchange exchange(caller, endpoints_, tokens, clock_, options_, limits_);
    transport.on(blob_url(descriptor.digest), {.body = body});
    Result<std::string> blob = Names(exchange, clock_, log_.log()).small_blob(kRepository, descriptor);
    ASSERT_FALSE(blob) << body;
    EXPECT_TRUE(blob.error().is(Errc::wrong_length));
  }
}

TEST_F(NamesTest, RefuseABlobOfOtherBytes) {
  Descriptor descriptor = descriptor_of("config");
  transport_.on(blob_url(descriptor.digest), {.body = "confiG"});
  Result<std::string> blob = names_.small_blob(kRepository, descriptor);
  ASSERT_FALSE(blob);
  EXPECT_TRUE(blob.error().is(Errc::digest_mismatch));
}

TEST_F(NamesTest, CallAMissingBlobMissingContent) {
  Descriptor descriptor = descriptor_of("config");
  transport_.on(blob_url(descriptor.digest), {.status = 404, .body = "a longer text than the config would be"});
  Result<std::string> blob = names_.small_blob(kRepository, descriptor);
  ASSERT_FALSE(blob);
  EXPECT_TRUE(blob.error().is(Errc::missing_content));
}

TEST_F(NamesTest, AskNothingForABlobThatIsTooLargeByItsDescriptor) {
  Descriptor descriptor{"", sha256_of("x"), kMaxConfigBytes + 1, {}};
  Result<std::string> blob = names_.small_blob(kRepository, descriptor);
  ASSERT_FALSE(blob);
  EXPECT_TRUE(blob.error().is(Errc::too_large));
  EXPECT_TRUE(transport_.requests().empty());
}

TEST_F(NamesTest, BringASmallBlob) {
  Descriptor descriptor = descriptor_of("config");
  transport_.on(blob_url(descriptor.digest), {.body = "config"});
  EXPECT_EQ(*names_.small_blob(kRepository, descriptor), "config");
  EXPECT_FALSE(transport_.requests()[0].decode_content);
}

}  // namespace
}  // namespace regfs::registry::names_test
