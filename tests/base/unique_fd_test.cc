// SPDX-License-Identifier: MIT
#include "base/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <utility>

namespace regfs::unique_fd_test {
namespace {

int open_null() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

TEST(UniqueFd, OfNothingIsNotOk) {
  EXPECT_FALSE(UniqueFd().ok());
  EXPECT_FALSE(UniqueFd(-1).ok());
}

TEST(UniqueFd, LeavesErrnoAloneWhenItHoldsNothing) {
  errno = ENOSPC;
  { UniqueFd failed(-1); }
  EXPECT_EQ(errno, ENOSPC);  // close(-1) would say EBADF over the reason of the failure
}

TEST(UniqueFd, ClosesAtTheEndOfItsScope) {
  const int fd = open_null();
  {
    UniqueFd owner(fd);
    EXPECT_TRUE(owner.ok());
    EXPECT_EQ(owner.get(), fd);
    EXPECT_TRUE(is_open(fd));
  }
  EXPECT_FALSE(is_open(fd));
}

TEST(UniqueFd, TakesZeroForADescriptor) {
  UniqueFd standard_input(0);
  EXPECT_TRUE(standard_input.ok());
  EXPECT_EQ(standard_input.release(), 0);
}

TEST(UniqueFd, IsEmptyAfterAMove) {
  UniqueFd first(open_null());
  const int fd = first.get();
  UniqueFd second = std::move(first);
  EXPECT_FALSE(first.ok());  // NOLINT(*-use-after-move): this is the promise
  EXPECT_EQ(second.get(), fd);
  EXPECT_TRUE(is_open(fd));
}

TEST(UniqueFd, ClosesItsOwnWhenAnotherIsMovedIn) {
  UniqueFd first(open_null());
  UniqueFd second(open_null());
  const int old = first.get();
  const int kept = second.get();
  first = std::move(second);
  EXPECT_FALSE(is_open(old));
  EXPECT_TRUE(is_open(kept));
  EXPECT_EQ(first.get(), kept);
}

TEST(UniqueFd, SurvivesBeingMovedIntoItself) {
  UniqueFd owner(open_null());
  UniqueFd& alias = owner;
  owner = std::move(alias);
  EXPECT_TRUE(owner.ok());
  EXPECT_TRUE(is_open(owner.get()));
}

TEST(UniqueFd, GivesUpWhatIsReleased) {
  const int fd = open_null();
  {
    UniqueFd owner(fd);
    EXPECT_EQ(owner.release(), fd);
    EXPECT_FALSE(owner.ok());
  }
  EXPECT_TRUE(is_open(fd));
  ::close(fd);
}

TEST(UniqueFd, ClosesOnReset) {
  UniqueFd owner(open_null());
  const int fd = owner.get();
  owner.reset();
  EXPECT_FALSE(owner.ok());
  EXPECT_FALSE(is_open(fd));
}

}  // namespace
}  // namespace regfs::unique_fd_test
