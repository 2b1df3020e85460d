// SPDX-License-Identifier: MIT
#include "tests/support/process_facts.h"

#include <fcntl.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>

#include "tests/support/child_process.h"

namespace regfs::test {
namespace {

namespace filesystem = std::filesystem;

std::string directory_of(pid_t pid) {
  return "/proc/" + std::to_string(pid);
}

// The word behind "NAME:" in a file of such lines; empty when there is none.
std::string field(const std::string& path, std::string_view name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::string value;
    if (line.starts_with(name)) std::istringstream(line.substr(name.size())) >> value;
    if (!value.empty()) return value;
  }
  return {};
}

uint64_t kibibytes(pid_t pid, std::string_view name) {
  const std::string value = field(directory_of(pid) + "/status", name);
  return value.empty() ? 0 : std::stoull(value) << 10;
}

}  // namespace

std::vector<Descriptor> descriptors_of(pid_t pid) {
  std::vector<Descriptor> found;
  std::error_code gone;
  for (const auto& entry : filesystem::directory_iterator(directory_of(pid) + "/fd", gone)) {
    std::error_code closed_meanwhile;
    const std::string target = filesystem::read_symlink(entry.path(), closed_meanwhile);
    const std::string number = entry.path().filename();
    const std::string flags = field(directory_of(pid) + "/fdinfo/" + number, "flags:");
    if (closed_meanwhile || flags.empty()) continue;
    found.push_back({std::stoi(number), target, (std::stoul(flags, nullptr, 8) & O_CLOEXEC) != 0});
  }
  return found;
}

size_t threads_of(pid_t pid) {
  const std::string count = field(directory_of(pid) + "/status", "Threads:");
  return count.empty() ? 0 : std::stoul(count);
}

uint64_t anonymous_bytes_of(pid_t pid) {
  return kibibytes(pid, "RssAnon:");
}

uint64_t data_bytes_of(pid_t pid) {
  return kibibytes(pid, "VmData:");
}

bool memory_is_the_programs_own() {
  const char* const sanitized = std::getenv("REGFS_SANITIZED");
  return sanitized == nullptr || *sanitized == '\0';
}

MemoryPeak::MemoryPeak(pid_t pid)
    : watcher_([this, pid] {
        for (; !ending_; yield_processor()) peak_ = std::max(peak_.load(), anonymous_bytes_of(pid));
      }) {}

MemoryPeak::~MemoryPeak() {
  ending_ = true;
  watcher_.join();
}

}  // namespace regfs::test
