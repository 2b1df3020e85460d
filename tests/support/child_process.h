// SPDX-License-Identifier: MIT
// A program that a test runs: started, waited for with a deadline, and killed at the latest with the
// object. One thread uses it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace regfs::test {

class ChildProcess {
 public:
  struct Output {
    std::string standard = "/dev/null";  // files; made or emptied at the start
    std::string error = "/dev/null";
  };

  // arguments[0] is looked up in PATH. The child gets this environment without proxies and without
  // what leads to credentials. A program that cannot be
  // started ends at once with status 127.
  ChildProcess(const std::vector<std::string>& arguments, const Output& output);
  // A child that a program left behind and this process has inherited.
  explicit ChildProcess(pid_t inherited);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  // Becomes readable when the child has ended.
  int pid_fd() const { return pid_fd_.get(); }
  void send(int signal);
  // The exit status, or 128 + the signal that ended it; nullopt when it still runs after that time.
  std::optional<int> wait(std::chrono::milliseconds at_most);

 private:
  const pid_t pid_;
  UniqueFd pid_fd_;
  std::optional<int> status_;
};

// Runs a program to its end, or for a minute.
struct Finished {
  int status;
  std::string output;
  std::string error;
};
Finished run(const std::vector<std::string>& arguments);

// From now on this process inherits what its children leave behind.
void adopt_orphans();
// Living children of this process whose command line holds the text.
std::vector<pid_t> children_with(const std::string& text);

// 'R' running, 'S' sleeping, 'D' waiting in the kernel for a page, 'Z' ended …; 0 when there is none.
char process_state(pid_t pid);

// Tries until it is so or the time is up; between tries it yields the processor. For what another
// process does in its own time and nothing announces.
template <typename Condition>
bool eventually(std::chrono::milliseconds at_most, Condition&& condition);
void yield_processor();

template <typename Condition>
bool eventually(std::chrono::milliseconds at_most, Condition&& condition) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    yield_processor();
  }
  return true;
}

}  // namespace regfs::test
