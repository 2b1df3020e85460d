// SPDX-License-Identifier: MIT
#include "registry/http.h"

#include <gtest/gtest.h>

namespace regfs::registry::http_test {
namespace {

TEST(Headers, HaveNothingUnderANameThatIsNotThere) {
  Headers headers;
  headers.add("Link", "<a>");
  EXPECT_EQ(headers.first("Lin"), std::nullopt);
  EXPECT_EQ(headers.first("Links"), std::nullopt);
  EXPECT_TRUE(headers.all("").empty());
}

TEST(Headers, CompareNamesWithoutCase) {
  Headers headers;
  headers.add("WWW-Authenticate", "Basic");
  EXPECT_EQ(headers.first("www-authenticate"), "Basic");
  EXPECT_EQ(headers.first("Www-Authenticate"), "Basic");
}

TEST(Headers, KeepARepeatedNameInOrder) {
  Headers headers;
  headers.add("www-authenticate", "Negotiate");
  headers.add("date", "today");
  headers.add("WWW-Authenticate", "Basic");
  EXPECT_EQ(headers.first("www-authenticate"), "Negotiate");
  EXPECT_EQ(headers.all("www-authenticate"), (std::vector<std::string>{"Negotiate", "Basic"}));
  EXPECT_EQ(headers.fields().size(), 3u);
}

}  // namespace
}  // namespace regfs::registry::http_test
