// SPDX-License-Identifier: MIT
#include "tools/interrupt.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "tools/exit_code.h"

namespace regfs {
namespace {

enum class Woken { signal, over, late };

Woken wait(int signals, int over, int milliseconds) {
  pollfd waits[] = {{signals, POLLIN, 0}, {over, POLLIN, 0}};
  int ready = 0;
  do {
    ready = ::poll(waits, 2, milliseconds);
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) return Woken::late;
  return waits[1].revents ? Woken::over : Woken::signal;
}

}  // namespace

Interrupt::Interrupt(UniqueFd signals, std::function<void()> end_work)
    : signals_(std::move(signals)),
      over_(::eventfd(0, EFD_CLOEXEC)),
      end_work_(std::move(end_work)),
      thread_([this] { watch(); }) {}

Interrupt::~Interrupt() {
  ::eventfd_write(over_.get(), 1);
  thread_.join();
}

void Interrupt::watch() {
  pthread_setname_np(pthread_self(), "signals");
  if (wait(signals_.get(), over_.get(), -1) != Woken::signal) return;
  signalfd_siginfo info{};
  if (::read(signals_.get(), &info, sizeof(info)) != sizeof(info)) return;
  signal_ = static_cast<int>(info.ssi_signo);
  end_work_();
  const auto patience = std::chrono::milliseconds(kPatience).count();
  if (wait(signals_.get(), over_.get(), static_cast<int>(patience)) != Woken::over) ::_exit(kSignalled + signal_);
}

}  // namespace regfs
