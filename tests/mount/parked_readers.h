// SPDX-License-Identifier: MIT
// Readers that wait in read(2) for bytes that do not come: programs, which a signal can end, and threads
// of this process, whose errno can be seen.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/archive_model.h"
#include "tests/support/child_process.h"
#include "tests/support/posix_file.h"
#include "tests/support/temp_dir.h"

namespace regfs::test {

// Whether that thread waits in the kernel for a page, and in a read at that: a name can be waited for as well.
inline bool waits_in_read(pid_t id) {
  if (process_state(id) != 'D') return false;
  const std::string call = text_file("/proc/" + std::to_string(id) + "/syscall");  // "0 0x3 …"; not in every kernel
  return call.empty() || call.starts_with(std::to_string(SYS_read) + " ") ||
         call.starts_with(std::to_string(SYS_pread64) + " ");
}

// One thread uses it. What still runs is killed with the object.
class ParkedReaders {
 public:
  static constexpr uint64_t kPageBytes = 4096;

  // A program that reads the first whole page from `offset` on, and nothing else.
  void add_page(const std::string& path, uint64_t offset) {
    const uint64_t page = (offset + kPageBytes - 1) / kPageBytes;
    pages_.push_back(page * kPageBytes);
    start({"dd", "if=" + path, "bs=" + std::to_string(kPageBytes), "count=1", "skip=" + std::to_string(page),
           "status=none"});
  }
  // One that reads the file from its beginning.
  void add_whole(const std::string& path) {
    pages_.push_back(0);
    start({"cat", path});
  }

  size_t size() const { return programs_.size(); }
  ChildProcess& operator[](size_t index) { return *programs_[index]; }

  // Waits until each of them waits in the kernel for its page.
  testing::AssertionResult all_parked(std::chrono::milliseconds at_most = std::chrono::seconds(20)) const {
    size_t parked = 0;
    const bool all = eventually(at_most, [&] {
      parked = 0;
      for (const auto& program : programs_) parked += waits_in_read(program->pid()) ? 1 : 0;
      return parked == programs_.size();
    });
    return all ? testing::AssertionSuccess() : testing::AssertionFailure() << parked << " of " << size();
  }

  // All have ended, each with its page as the model has it.
  testing::AssertionResult end_well(const ArchiveModel& model, std::chrono::milliseconds at_most) {
    const auto deadline = std::chrono::steady_clock::now() + at_most;
    for (size_t index = 0; index < size(); ++index) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      const auto status = programs_[index]->wait(std::max(left, std::chrono::milliseconds(0)));
      if (!status) return testing::AssertionFailure() << "reader " << index << " is still parked";
      if (*status != 0) return testing::AssertionFailure() << "reader " << index << " ended with " << *status;
      if (text_file(output_of(index)) != model.read(pages_[index], kPageBytes)) {
        return testing::AssertionFailure() << "reader " << index << " got other bytes";
      }
    }
    return testing::AssertionSuccess();
  }

 private:
  std::string output_of(size_t index) const { return outputs_ / std::to_string(index); }
  void start(const std::vector<std::string>& arguments) {
    programs_.push_back(
        std::make_unique<ChildProcess>(arguments, ChildProcess::Output{.standard = output_of(programs_.size())}));
  }

  const TempDir outputs_;
  std::vector<uint64_t> pages_;
  std::vector<std::unique_ptr<ChildProcess>> programs_;
};

// One read of this process. The mount must answer it before the object ends.
class ReadingThread {
 public:
  // `fd` stays open until wait() has returned.
  ReadingThread(int fd, uint64_t offset, uint64_t length)
      : thread_([this, fd, offset, length] {
          id_ = static_cast<pid_t>(::syscall(SYS_gettid));
          outcome_ = read_at(fd, offset, length);
          ended_ = true;
        }) {}
  ~ReadingThread() {
    if (thread_.joinable()) thread_.join();
  }
  ReadingThread(const ReadingThread&) = delete;
  ReadingThread& operator=(const ReadingThread&) = delete;

  bool parked(std::chrono::milliseconds at_most = std::chrono::seconds(20)) const {
    return eventually(at_most, [this] { return waits_in_read(id_); });
  }
  bool ended() const { return ended_; }
  void send(int signal) {
    if (!ended_) ::pthread_kill(thread_.native_handle(), signal);
  }
  const ReadOutcome& wait() {
    if (thread_.joinable()) thread_.join();
    return outcome_;
  }

 private:
  std::atomic<pid_t> id_{0};
  std::atomic<bool> ended_{false};
  ReadOutcome outcome_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace regfs::test
