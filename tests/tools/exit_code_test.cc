// SPDX-License-Identifier: MIT
#include "tools/exit_code.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <utility>
#include <vector>

namespace regfs::exit_code_test {
namespace {

TEST(ExitCode, OfEachKindOfErrorIsThatOfTheManual) {
  const std::vector<std::pair<Errc, int>> cases{
      {Errc::not_found, 66},       {Errc::unauthorized, 77}, {Errc::forbidden, 77},        {Errc::unreachable, 69},
      {Errc::rate_limited, 75},    {Errc::timed_out, 75},    {Errc::server_error, 75},     {Errc::bad_response, 76},
      {Errc::malformed, 65},       {Errc::too_large, 65},    {Errc::digest_mismatch, 65},  {Errc::wrong_length, 65},
      {Errc::missing_content, 65}, {Errc::unsupported, 65},  {Errc::invalid_argument, 64}, {Errc::cancelled, 70},
      {Errc::shutting_down, 70}};
  for (const auto& [code, number] : cases)
    EXPECT_EQ(exit_code(Error(code, "x")), number) << Error(code, "x").code().message();
}

TEST(ExitCode, OfTheSystemsErrorsIsThatOfADisk) {
  for (int number : {ENOSPC, EIO, EACCES, EROFS}) EXPECT_EQ(exit_code(Error::from_errno(number, "x")), 74);
}

}  // namespace
}  // namespace regfs::exit_code_test
