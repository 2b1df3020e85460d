// SPDX-License-Identifier: MIT
#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace regfs::result_test {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return Error{Errc::invalid_argument, "odd"};
  return number / 2;
}

TEST(ResultDeathTest, StopsTheProgramWhenAnErrorIsReadAsAValue) {
  Result<int> failed = half(3);
  EXPECT_DEATH(static_cast<void>(*failed), "value\\(\\) of a Result that holds an error");
}

TEST(ResultDeathTest, StopsTheProgramWhenAValueIsReadAsAnError) {
  Result<int> good = half(4);
  Result<void> done;
  EXPECT_DEATH(static_cast<void>(good.error()), "error\\(\\) of a Result that holds a value");
  EXPECT_DEATH(static_cast<void>(done.error()), "error\\(\\) of a Result that holds no error");
}

TEST(Result, HoldsTheErrorThatStandsInTheValuesPlace) {
  Result<int> failed = half(3);
  EXPECT_FALSE(failed.has_value());
  EXPECT_TRUE(failed.error().is(Errc::invalid_argument));
  Result<void> undone = failed.error();
  EXPECT_FALSE(undone);
  EXPECT_EQ(undone.error().context(), "odd");
}

TEST(Result, HoldsAValue) {
  const Result<int> good = half(4);
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, 2);
  EXPECT_TRUE(Result<void>());
}

TEST(Result, GivesAMoveOnlyValueAway) {
  Result<std::unique_ptr<std::string>> held(std::make_unique<std::string>("once"));
  std::unique_ptr<std::string> taken = *std::move(held);
  EXPECT_EQ(*taken, "once");
}

}  // namespace
}  // namespace regfs::result_test
