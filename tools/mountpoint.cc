// SPDX-License-Identifier: MIT
#include "tools/mountpoint.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/unique_fd.h"

namespace regfs {
namespace {

constexpr std::string_view kOurType = "fuse.regfs";

Error refusal(std::string sentence) {
  return {Errc::invalid_argument, std::move(sentence)};
}

// mountinfo writes blanks and backslashes as \ooo.
std::string unescaped(const std::string& field) {
  std::string out;
  for (size_t i = 0; i < field.size(); ++i) {
    if (field[i] == '\\' && i + 3 < field.size()) {
      out += static_cast<char>(std::stoi(field.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      out += field[i];
    }
  }
  return out;
}

// The filesystem type of what is mounted on `path` (topmost), if anything.
std::optional<std::string> type_mounted_on(const std::string& path) {
  std::ifstream mounts("/proc/self/mountinfo");
  std::optional<std::string> type;
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string skipped;
    std::string point;
    fields >> skipped >> skipped >> skipped >> skipped >> point;
    if (unescaped(point) != path) continue;
    size_t separator = line.find(" - ");
    if (separator == std::string::npos) continue;
    std::istringstream(line.substr(separator + 3)) >> type.emplace();
  }
  return type;
}

// realpath() that does not stat the last component, which may be a dead mount.
std::string absolute_path(const std::string& path) {
  std::filesystem::path absolute = std::filesystem::absolute(path).lexically_normal();
  if (!absolute.has_filename()) absolute = absolute.parent_path();
  std::error_code failed;
  std::filesystem::path parent = std::filesystem::canonical(absolute.parent_path(), failed);
  return failed ? absolute.string() : (parent / absolute.filename()).string();
}

Result<void> clear_dead_mount(const std::string& path, Log& log) {
  bool cleared = detach_mount(path);
  if (!cleared) return refusal(path + " holds a dead regfs mount; clear it with 'fusermount3 -uz " + path + "'");
  log.warning("cleared a dead regfs mount at " + path);
  return {};
}

// An ordinary user mounts through a program that is set-uid root; libfuse looks for it in these places too.
bool fusermount_is_there() {
  const char* const path = std::getenv("PATH");
  std::istringstream directories((path ? std::string(path) + ":" : "") + "/usr/bin:/bin:/usr/local/bin");
  for (std::string directory; std::getline(directories, directory, ':');) {
    if (::access((directory + "/fusermount3").c_str(), X_OK) == 0) return true;
  }
  return false;
}

// 0, or the errno of the first thing that fails. A dead mount still answers stat from the kernel's memory, but
// never statfs.
int status_of(const std::string& path, struct stat& status) {
  struct statvfs filesystem {};
  if (::stat(path.c_str(), &status) != 0 || ::statvfs(path.c_str(), &filesystem) != 0) return errno;
  return 0;
}

}  // namespace

bool detach_mount(const std::string& path) {
  if (::umount2(path.c_str(), MNT_DETACH) == 0) return true;
  if (::geteuid() == 0) return false;
  pid_t child = ::fork();  // a user's mount is taken away as it would be by hand
  if (child == 0) {
    ::execlp("fusermount3", "fusermount3", "-u", "-z", "-q", path.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

Result<std::string> prepare_mountpoint(const std::string& mountpoint, Log& log) {
  std::string path = absolute_path(mountpoint);
  struct stat status {};
  int failed = status_of(path, status);
  if (failed == ENOTCONN || failed == ECONNABORTED) {
    if (type_mounted_on(path) != kOurType) {
      return refusal(path + " holds a dead mount that is not regfs's; unmount it with 'umount -l " + path + "'");
    }
    Result<void> cleared = clear_dead_mount(path, log);
    if (!cleared) return cleared.error();
    failed = status_of(path, status);
  }
  if (failed == ENOENT) {
    return refusal("the mountpoint " + path + " does not exist; create it with 'mkdir -p " + path + "'");
  }
  if (failed != 0) return Error::from_errno(failed, "cannot use the mountpoint " + path);
  if (!S_ISDIR(status.st_mode))
    return refusal("the mountpoint " + path + " is not a directory; give an empty directory");

  std::error_code ignored;
  std::filesystem::path canonical = std::filesystem::canonical(path, ignored);  // a symbolic link to a directory
  if (!ignored) path = canonical.string();
  if (std::optional<std::string> type = type_mounted_on(path)) {
    return refusal(path + " is already mounted (" + *type + "); unmount it first with 'umount " + path + "'");
  }
  if (::geteuid() != 0 && ::access(path.c_str(), W_OK) != 0) {
    return refusal("the mountpoint " + path + " is not writable for you; give a directory of your own");
  }
  UniqueFd device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!device.ok()) {
    std::string why = errno == EACCES || errno == EPERM
                          ? "you may not open it; run as root or ask for access"
                          : "load it with 'modprobe fuse', or give the container '--device /dev/fuse'";
    return refusal("cannot use /dev/fuse: " + why);
  }
  if (::geteuid() != 0 && !fusermount_is_there()) {
    return refusal("fusermount3 is missing, without which only root can mount; install the package fuse3");
  }
  return path;
}

Result<void> check_outside(const std::string& path, const std::string& mountpoint, std::string_view what,
                           std::string_view option) {
  std::error_code ignored;
  const std::string real = std::filesystem::weakly_canonical(path, ignored).string();
  if (real != mountpoint && !real.starts_with(mountpoint + "/")) return {};
  return refusal(std::string(what) + " " + real + " is inside the mountpoint, which hides it; choose another with " +
                 std::string(option));
}

}  // namespace regfs
