// SPDX-License-Identifier: MIT
#include "base/secret.h"

#include <gtest/gtest.h>

#include <sstream>
#include <type_traits>

namespace regfs::secret_test {
namespace {

TEST(Secret, PrintsAsThreeStars) {
  std::ostringstream out;
  out << Secret("hunter2");
  EXPECT_EQ(out.str(), "***");
}

TEST(Secret, DoesNotPassForAString) {
  EXPECT_FALSE((std::is_convertible_v<Secret, std::string>));
  EXPECT_FALSE((std::is_convertible_v<std::string, Secret>));
}

TEST(Secret, ShowsItselfOnlyWhenAsked) {
  EXPECT_EQ(Secret("hunter2").reveal(), "hunter2");
}

TEST(Secret, ComparesByWhatItHides) {
  EXPECT_EQ(Secret("a"), Secret("a"));
  EXPECT_NE(Secret("a"), Secret("b"));
  EXPECT_TRUE(Secret().empty());
}

}  // namespace
}  // namespace regfs::secret_test
