// SPDX-License-Identifier: MIT
// What the kernel tells of a living process: its threads, its descriptors, its memory. Of one that is
// gone: nothing, and zero.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace regfs::test {

struct Descriptor {
  int number;
  std::string target;  // a path, "socket:[…]", "anon_inode:[eventfd]" …
  bool closes_on_exec;

  bool is_socket() const { return target.starts_with("socket:"); }
};
std::vector<Descriptor> descriptors_of(pid_t pid);

size_t threads_of(pid_t pid);

// RssAnon: what the process has allocated and touched. The kernel's own peak counts file pages as well.
uint64_t anonymous_bytes_of(pid_t pid);
// VmData: what it may touch, touched or not.
uint64_t data_bytes_of(pid_t pid);

// False when the program is built with a sanitizer, whose shadow is memory as well.
bool memory_is_the_programs_own();

// Looks at RssAnon all the time, on a thread of its own.
class MemoryPeak {
 public:
  explicit MemoryPeak(pid_t pid);
  ~MemoryPeak();
  MemoryPeak(const MemoryPeak&) = delete;
  MemoryPeak& operator=(const MemoryPeak&) = delete;

  uint64_t bytes() const { return peak_; }

 private:
  std::atomic<bool> ending_{false};
  std::atomic<uint64_t> peak_{0};
  std::thread watcher_;
};

}  // namespace regfs::test
