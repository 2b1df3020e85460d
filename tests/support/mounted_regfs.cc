// SPDX-License-Identifier: MIT
#include "tests/support/mounted_regfs.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/unique_fd.h"
#include "tests/support/posix_file.h"
#include "tests/support/process_facts.h"

namespace regfs::test {
namespace {

// A sanitized program on a busy machine takes seconds to begin.
constexpr std::chrono::seconds kMountWithin{20};
// It promises 5 s; the rest is for that machine.
constexpr std::chrono::seconds kEndWithin{10};

std::string own_directory(const TempDir& scratch, const std::string& name) {
  const std::string path = scratch / name;
  ::mkdir(path.c_str(), 0755);
  return path;
}

}  // namespace

std::string why_no_mounts() {
  if (::access("/dev/fuse", R_OK | W_OK) != 0) return "/dev/fuse cannot be opened here";
  if (::geteuid() != 0) return "mount tests run as root";
  return {};
}

std::string regfs_program() {
  const char* const given = std::getenv("REGFS_BINARY");
  return given != nullptr ? given : REGFS_BINARY;
}

MountedRegfs::MountedRegfs(const MountSpec& spec)
    : mountpoint_(spec.mountpoint.empty() ? own_directory(scratch_, "mnt") : spec.mountpoint),
      cache_directory_(spec.cache_directory.empty() ? scratch_ / "cache" : spec.cache_directory) {
  std::vector<std::string> arguments = spec.launcher;
  arguments.insert(arguments.end(), {"env", "HOME=" + own_directory(scratch_, "home")});
  arguments.insert(arguments.end(), spec.environment.begin(), spec.environment.end());
  arguments.insert(arguments.end(), {regfs_program(), "-f", "--cache-dir", cache_directory_});
  arguments.insert(arguments.end(), spec.arguments.begin(), spec.arguments.end());
  if (!spec.host.empty()) arguments.push_back(spec.host);
  arguments.push_back(mountpoint_);
  process_ = std::make_unique<ChildProcess>(arguments, ChildProcess::Output{.error = scratch_ / "log"});
  mounted_ = wait_until_mounted(mountpoint_, *process_, kMountWithin);
}

MountedRegfs::~MountedRegfs() {
  if (mounted_ && !killed_ && stop(kEndWithin) != 0) ADD_FAILURE() << "regfs did not end well:\n" << log();
  process_.reset();
  unmount_all(mountpoint_);
  if (log().find("Sanitizer") != std::string::npos) ADD_FAILURE() << log();
}

std::string MountedRegfs::log() const {
  return text_file(scratch_ / "log");
}

std::optional<int> MountedRegfs::stop(std::chrono::milliseconds at_most) {
  process_->send(SIGTERM);
  return process_->wait(at_most);
}

void MountedRegfs::kill() {
  killed_ = true;
  process_->send(SIGKILL);
  process_->wait(std::chrono::seconds(10));
}

uint64_t MountedRegfs::anonymous_bytes() const {
  return anonymous_bytes_of(process_->pid());
}

std::string mounted_type(const std::string& mountpoint) {
  std::ifstream mounts("/proc/self/mountinfo");
  std::string type;
  for (std::string line; std::getline(mounts, line);) {
    // ID PARENT DEVICE ROOT MOUNTPOINT OPTIONS … - TYPE SOURCE SUPEROPTIONS; the last one is on top.
    std::istringstream words(line);
    std::string id, parent, device, root, at, word;
    words >> id >> parent >> device >> root >> at;
    if (at != mountpoint) continue;
    while (words >> word && word != "-") {
    }
    words >> type;
  }
  return type;
}

bool wait_until_mounted(const std::string& mountpoint, const ChildProcess& process, std::chrono::milliseconds at_most) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  if (process.pid_fd() < 0) return false;  // it never started
  const UniqueFd mounts(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
  while (!mounted_type(mountpoint).starts_with("fuse")) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd events[2] = {{.fd = mounts.get(), .events = POLLPRI, .revents = 0},
                        {.fd = process.pid_fd(), .events = POLLIN, .revents = 0}};
    if (left.count() <= 0 || ::poll(events, 2, static_cast<int>(left.count())) <= 0) return false;
    if (events[1].revents != 0) return false;
  }
  return true;
}

void unmount_all(const std::string& mountpoint) {
  for (int depth = 0; depth < 8 && !mounted_type(mountpoint).empty(); ++depth) {
    if (::umount2(mountpoint.c_str(), MNT_DETACH) != 0) run({"fusermount3", "-uz", mountpoint});
  }
}

std::string published_path(const std::string& cache_directory, const Digest& digest) {
  return cache_directory + "/blobs/sha256/" + digest.hex();
}

}  // namespace regfs::test
