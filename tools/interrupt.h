// SPDX-License-Identifier: MIT
// Ctrl-C and its kin for a program that works in straight-line code: a thread that waits for the signal, ends the
// work, and sees that the program ends even if the work does not.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "base/unique_fd.h"

namespace regfs {

class Interrupt {
 public:
  // `signals` as from take_signals(). At the first signal `end_work` is called, on the thread; the second one, or
  // kPatience later, ends the process with kSignalled + the number.
  Interrupt(UniqueFd signals, std::function<void()> end_work);
  ~Interrupt();  // no call of `end_work` runs after it
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  static constexpr std::chrono::seconds kPatience{3};

  // The signal that came; 0: none.
  int signal() const { return signal_; }

 private:
  void watch();

  const UniqueFd signals_;
  const UniqueFd over_;
  const std::function<void()> end_work_;
  std::atomic<int> signal_ = 0;
  std::thread thread_;
};

}  // namespace regfs
