// SPDX-License-Identifier: MIT
#include "registry/redirect.h"

#include <gtest/gtest.h>

#include <string>

namespace regfs::registry::redirect_test {
namespace {

// Where it leads; empty: refused.
std::string target(const std::string& from, const std::string& location, Protects protects) {
  HttpHead head;
  head.status = 307;
  head.headers.add("Location", location);
  Result<std::string> found = redirect_target(from, head, protects);
  if (!found && !found.error().is(Errc::bad_response)) return "(another error)";
  return found ? *found : "";
}

TEST(Redirect, LeadsFromHttpsToHttpOnlyOnLoopbackAndOnlyWhereADigestProtects) {
  EXPECT_EQ(target("https://localhost:5000/v2/a", "http://127.0.0.1:9/b", Protects::digest), "http://127.0.0.1:9/b");
  EXPECT_EQ(target("https://localhost:5000/v2/a", "http://127.0.0.1:9/b", Protects::tls), "");
  for (Protects protects : {Protects::digest, Protects::tls}) {
    EXPECT_EQ(target("https://reg.example/v2/a", "http://reg.example/b", protects), "");
    EXPECT_EQ(target("https://reg.example/v2/a", "http://127.0.0.1/b", protects), "");
    EXPECT_EQ(target("https://reg.example/v2/a", "https://cdn.example/b?s=1", protects), "https://cdn.example/b?s=1");
    EXPECT_EQ(target("http://localhost:5000/v2/a", "http://127.0.0.1:9/b", protects), "http://127.0.0.1:9/b");
  }
}

TEST(Redirect, LeadsToHttpAndHttpsOnly) {
  for (const char* location :
       {"file:///etc/passwd", "ftp://reg.example/a", "gopher://reg.example/a", "", "javascript:1"}) {
    EXPECT_EQ(target("https://reg.example/v2/a", location, Protects::digest), "") << location;
  }
  Result<std::string> nowhere = redirect_target("https://reg.example/v2/a", HttpHead(), Protects::digest);
  ASSERT_FALSE(nowhere);
  EXPECT_TRUE(nowhere.error().is(Errc::bad_response));
}

}  // namespace
}  // namespace regfs::registry::redirect_test
