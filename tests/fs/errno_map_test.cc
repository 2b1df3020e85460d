// SPDX-License-Identifier: MIT
#include "fs/errno_map.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <future>
#include <utility>

namespace regfs::fs::errno_map_test {
namespace {

TEST(ErrnoMap, TurnsACodeOfAnUnknownKindIntoEio) {
  EXPECT_EQ(to_errno(Error(make_error_code(std::future_errc::broken_promise), "x")), EIO);
  EXPECT_EQ(to_errno(Error(static_cast<Errc>(9999), "x")), EIO);
}

TEST(ErrnoMap, NeverAnswersSuccess) {
  EXPECT_EQ(to_errno(Error(std::error_code(), "x")), EIO);
  EXPECT_EQ(to_errno(Error(std::error_code(-5, std::generic_category()), "x")), EIO);
}

TEST(ErrnoMap, NeverTellsTheKernelThatAnOperationDoesNotExist) {
  EXPECT_EQ(to_errno(Error::from_errno(ENOSYS, "x")), EIO);
}

TEST(ErrnoMap, TakesNoMissingFileOfTheCacheForANameThatDoesNotExist) {
  EXPECT_EQ(to_errno(Error::from_errno(ENOENT, "x")), EIO);
  EXPECT_EQ(to_errno(Error::from_errno(ENOTDIR, "x")), EIO);
}

TEST(ErrnoMap, LetsAnErrnoOfTheSystemSurvive) {
  for (int value : {ENOSPC, EMFILE, EDQUOT, EROFS, ENODATA, EIO}) {
    EXPECT_EQ(to_errno(Error::from_errno(value, "x")), value);
    EXPECT_EQ(to_errno(Error(std::error_code(value, std::system_category()), "x")), value);
  }
}

TEST(ErrnoMap, LetsTheCodeSurviveWhatIsToldAboutIt) {
  EXPECT_EQ(to_errno(Error::from_errno(ENOSPC, "x").while_doing("writing the cache")), ENOSPC);
  EXPECT_EQ(to_errno(Error(Errc::not_found, "x").while_doing("looking")), ENOENT);
}

TEST(ErrnoMap, GivesEachWordItsErrno) {
  const std::pair<Errc, int> expected[] = {
      {Errc::not_found, ENOENT},       {Errc::unauthorized, EACCES},      {Errc::forbidden, EACCES},
      {Errc::rate_limited, EBUSY},     {Errc::unreachable, EHOSTUNREACH}, {Errc::timed_out, ETIMEDOUT},
      {Errc::server_error, EREMOTEIO}, {Errc::bad_response, EIO},         {Errc::malformed, EPROTO},
      {Errc::too_large, EPROTO},       {Errc::digest_mismatch, EIO},      {Errc::wrong_length, EIO},
      {Errc::missing_content, EIO},    {Errc::unsupported, EOPNOTSUPP},   {Errc::invalid_argument, EINVAL},
      {Errc::cancelled, EINTR},        {Errc::shutting_down, ESHUTDOWN},
  };
  for (const auto& [code, errno_value] : expected) {
    EXPECT_EQ(to_errno(Error(code, "x")), errno_value) << make_error_code(code).message();
  }
}

}  // namespace
}  // namespace regfs::fs::errno_map_test
