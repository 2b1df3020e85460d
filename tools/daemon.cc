// SPDX-License-Identifier: MIT
#include "tools/daemon.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace regfs {
namespace {

constexpr int kDiedExitCode = 1;

// The child's word is one byte: its exit code, 0 for "mounted".
[[noreturn]] void wait_for_outcome(UniqueFd pipe) {
  unsigned char code = kDiedExitCode;
  ssize_t got = 0;
  do {
    got = ::read(pipe.get(), &code, 1);
  } while (got < 0 && errno == EINTR);
  ::_exit(got == 1 ? code : kDiedExitCode);
}

void tell(UniqueFd& pipe, unsigned char code) {
  if (!pipe.ok()) return;
  // Nobody to tell if the parent is gone; the daemon goes on all the same.
  [[maybe_unused]] ssize_t written = ::write(pipe.get(), &code, 1);
  pipe.reset();
}

}  // namespace

Result<Daemon> Daemon::start() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error::from_errno(errno, "cannot become a daemon");
  UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  pid_t child = ::fork();
  if (child < 0) return Error::from_errno(errno, "cannot become a daemon");
  if (child > 0) {
    writing.reset();
    wait_for_outcome(std::move(reading));
  }
  ::setsid();
  return Daemon(std::move(writing));
}

void Daemon::ready() {
  if (!pipe_.ok()) return;
  [[maybe_unused]] int moved = ::chdir("/");
  UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (null.ok()) ::dup2(null.get(), standard);
  }
  tell(pipe_, 0);
}

void Daemon::failed(int exit_code) {
  tell(pipe_, static_cast<unsigned char>(exit_code));
}

}  // namespace regfs
