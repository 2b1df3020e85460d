// SPDX-License-Identifier: MIT
#include "registry/url.h"

#include <gtest/gtest.h>

namespace regfs::registry::url_test {
namespace {

TEST(OriginOf, RefusesWhatIsNoPlainHttpUrl) {
  for (const char* url :
       {"", "ghcr.io", "file:///etc/passwd", "gopher://a/", "https://", "https:///v2/", "https://a b/",
        "https://a/\r\nX: y", "https://user:secret@ghcr.io/", "https://a:0/", "https://a:65536/", "https://a:x/",
        "https://a:/", "https://[::1/", "https://[::1]5000/", "https://a\\@b/", "https://a%2fb/"}) {
    EXPECT_FALSE(origin_of(url).has_value()) << url;
  }
}

TEST(OriginOf, NamesSchemeHostAndPort) {
  EXPECT_EQ(*origin_of("HTTPS://GHCR.io/v2/"), (Origin{"https", "ghcr.io", 443}));
  EXPECT_EQ(*origin_of("http://localhost?x"), (Origin{"http", "localhost", 80}));
  EXPECT_EQ(*origin_of("http://[::1]:5000/v2/"), (Origin{"http", "[::1]", 5000}));
}

TEST(OriginOf, IsTheSameWithAndWithoutTheDefaultPort) {
  EXPECT_EQ(origin_of("https://ghcr.io:443/a"), origin_of("https://ghcr.io/b"));
  EXPECT_NE(origin_of("https://ghcr.io:444/a"), origin_of("https://ghcr.io/a"));
  EXPECT_NE(origin_of("http://ghcr.io:443/a"), origin_of("https://ghcr.io/a"));
}

TEST(OriginOf, IsPrintedWithoutTheDefaultPort) {
  EXPECT_EQ(origin_of("https://ghcr.io:443/a")->str(), "https://ghcr.io");
  EXPECT_EQ(origin_of("http://127.0.0.1:5000/a")->str(), "http://127.0.0.1:5000");
}

TEST(ResolveUrl, RefusesOtherSchemesAndBrokenReferences) {
  for (const char* reference :
       {"", "file:///etc/passwd", "ftp://a/b", "javascript:x", "https://u:p@evil/", "//", "/a b", "/a\r\nb"}) {
    EXPECT_FALSE(resolve_url("https://ghcr.io/v2/", reference).has_value()) << reference;
  }
}

TEST(ResolveUrl, FollowsTheRulesOfRfc3986) {
  const char* base = "https://ghcr.io/v2/a/tags/list?n=1";
  EXPECT_EQ(resolve_url(base, "https://b.example/x?y"), "https://b.example/x?y");
  EXPECT_EQ(resolve_url(base, "//b.example/x"), "https://b.example/x");
  EXPECT_EQ(resolve_url(base, "/v2/a/tags/list?last=x&n=1"), "https://ghcr.io/v2/a/tags/list?last=x&n=1");
  EXPECT_EQ(resolve_url(base, "?last=x"), "https://ghcr.io/v2/a/tags/list?last=x");
  EXPECT_EQ(resolve_url(base, "list?last=x"), "https://ghcr.io/v2/a/tags/list?last=x");
  EXPECT_EQ(resolve_url(base, "../other"), "https://ghcr.io/v2/a/other");
  EXPECT_EQ(resolve_url(base, "/../../x/./y/.."), "https://ghcr.io/x/");
  EXPECT_EQ(resolve_url("https://ghcr.io", "v2"), "https://ghcr.io/v2");
}

TEST(ResolveUrl, KeepsTheSpellingOfASignedUrl) {
  const char* url = "https://s3.example/a%2Fb/../c?X-Amz-Signature=a%2fb+c&e=%7E";
  EXPECT_EQ(resolve_url("https://ghcr.io/", url), url);
}

TEST(Redacted, ShowsNeitherQueryNorUserInfo) {
  EXPECT_EQ(redacted("https://u:p@s3.example/a/b?sig=secret#x"), "https://s3.example/a/b");
  EXPECT_EQ(redacted("token=secret"), "(no URL)");
}

TEST(PercentEncode, KeepsOnlyUnreservedCharacters) {
  EXPECT_EQ(percent_encode("registry.aliyuncs.com:cn-hangzhou:26842"), "registry.aliyuncs.com%3Acn-hangzhou%3A26842");
  EXPECT_EQ(percent_encode("a/b&c=d e~\xc3"), "a%2Fb%26c%3Dd%20e~%C3");
}

TEST(IsLoopbackHost, IsNotFooledByNamesThatLookAlike) {
  for (const char* host : {"127.0.0.1.example.com", "localhost.example.com", "notlocalhost", "128.0.0.1", "127.1",
                           "::2", "10.0.0.1:5000", "", "[", "example.com:127"}) {
    EXPECT_FALSE(is_loopback_host(host)) << host;
  }
}

TEST(IsLoopbackHost, KnowsLoopbackWithAndWithoutPort) {
  for (const char* host : {"127.0.0.1", "127.9.8.7:5000", "localhost", "LOCALHOST:80", "a.localhost", "a.localhost:1",
                           "::1", "[::1]", "[::1]:5000", "0:0:0:0:0:0:0:1"}) {
    EXPECT_TRUE(is_loopback_host(host)) << host;
  }
}

}  // namespace
}  // namespace regfs::registry::url_test
