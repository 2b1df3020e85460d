// SPDX-License-Identifier: MIT
// The regfs program, running, with its mount, its cache directory and its log: the world of a mount
// test. Ends with the object, whatever state it is in, and leaves no mount behind. One thread uses it.
//
// However a test leaves it, SIGTERM must end it in time with success, and no sanitizer may have spoken: its
// destructor fails the test otherwise.
//
//   MountedRegfs mount({.arguments = {"--lookup-timeout", "2"}});
//   list_directory(mount / registry.host() / "app");
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "tests/support/child_process.h"
#include "tests/support/temp_dir.h"

namespace regfs::test {

// Why mounts cannot be tested here; empty when they can.
std::string why_no_mounts();

std::string regfs_program();  // $REGFS_BINARY, or the one built beside the tests

struct MountSpec {
  std::vector<std::string> arguments = {};    // options, before the names
  std::string host = {};                      // the root shows this registry; empty: all of them
  std::string cache_directory = {};           // outlives the mount; empty: one of its own
  std::string mountpoint = {};                // an existing directory; empty: one of its own
  std::vector<std::string> launcher = {};     // words before the program; becomes it by exec
  std::vector<std::string> environment = {};  // "NAME=value"; HOME is a directory of its own
};

// A path below the mount, built by operator/.
class MountPath {
 public:
  explicit MountPath(std::string path) : path_(std::move(path)) {}
  MountPath operator/(const std::string& name) const { return MountPath(path_ + "/" + name); }
  operator const std::string&() const { return path_; }  // NOLINT(*-explicit-*): a path is its text
  const std::string& str() const { return path_; }

 private:
  std::string path_;
};

class MountedRegfs {
 public:
  // Starts regfs in the foreground and waits until it is mounted; `mounted()` says whether it came to that.
  explicit MountedRegfs(const MountSpec& spec = {});
  ~MountedRegfs();

  bool mounted() const { return mounted_; }
  MountPath operator/(const std::string& name) const { return MountPath(mountpoint_) / name; }
  const std::string& mountpoint() const { return mountpoint_; }
  const std::string& cache_directory() const { return cache_directory_; }
  ChildProcess& process() { return *process_; }

  std::string log() const;  // standard error so far

  // SIGTERM; the exit status, or nullopt when it has not ended by then.
  std::optional<int> stop(std::chrono::milliseconds at_most = std::chrono::seconds(10));
  // SIGKILL: leaves a dead mount behind, until the object ends.
  void kill();

  // Bytes of anonymous memory now (RssAnon; peaks of the kernel count file pages as well).
  uint64_t anonymous_bytes() const;

 private:
  const TempDir scratch_;
  std::string mountpoint_;
  std::string cache_directory_;
  std::unique_ptr<ChildProcess> process_;
  bool mounted_ = false;
  bool killed_ = false;
};

// Whether something is mounted there, by /proc/self/mountinfo; and of which type, "" when nothing is.
std::string mounted_type(const std::string& mountpoint);
bool wait_until_mounted(const std::string& mountpoint, const ChildProcess& process, std::chrono::milliseconds at_most);
void unmount_all(const std::string& mountpoint);

// Whether the blob is published in a cache directory.
std::string published_path(const std::string& cache_directory, const Digest& digest);

}  // namespace regfs::test
