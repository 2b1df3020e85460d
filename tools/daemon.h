// SPDX-License-Identifier: MIT
// Becoming a daemon, with a parent that waits for the outcome and passes it on as its exit code.
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace regfs {

class Daemon {
 public:
  // Forks, before there is any thread. The parent does not return: it waits, prints what went wrong if
  // something did, and exits 0 once ready() was called or with the code of failed(). The child goes on, in a session of
  // its own, with the terminal still for its messages.
  static Result<Daemon> start();
  // Stays in the foreground: ready() and failed() do nothing.
  static Daemon foreground() { return Daemon(UniqueFd()); }

  // All is up: lets the parent go, and leaves the terminal and the directory.
  void ready();
  // The parent prints the sentence, and exits with the code.
  void failed(int exit_code);

 private:
  explicit Daemon(UniqueFd pipe) : pipe_(std::move(pipe)) {}
  UniqueFd pipe_;
};

}  // namespace regfs
