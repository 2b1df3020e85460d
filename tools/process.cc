// SPDX-License-Identifier: MIT
#include "tools/process.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace regfs {
namespace {

// Which looks at the process from another one, as a debugger does.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kLeakSanitizer = true;
#elif defined(__has_feature)
constexpr bool kLeakSanitizer = __has_feature(address_sanitizer);
#else
constexpr bool kLeakSanitizer = false;
#endif

constexpr rlim_t kWantedFiles = 65'536;  // every open layer is a file

bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

void open_standard_descriptors() {
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) < 0) (void)::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kWantedFiles) return;
  limit.rlim_cur = std::min(limit.rlim_max, kWantedFiles);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void keep_memory_private() {
  if (!kLeakSanitizer) ::prctl(PR_SET_DUMPABLE, 0);
}

void close_all_on_exec() {
  ::close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
}

Result<UniqueFd> take_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  for (int signal : {SIGINT, SIGHUP}) {
    if (!is_ignored(signal)) sigaddset(&signals, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // By default each of these would end a daemon and leave a dead mount behind.
  for (int signal : {SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM}) ::signal(signal, SIG_IGN);
  UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC));
  if (!fd.ok()) return Error::from_errno(errno, "cannot take signals");
  return fd;
}

}  // namespace regfs
