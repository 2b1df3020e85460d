// SPDX-License-Identifier: MIT
#include "tools/pull_target.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "tools/human_size.h"

namespace regfs {
namespace {

Error sentence(std::errc code, std::string words) {
  return {std::make_error_code(code), std::move(words)};
}

Result<void> write_all(int fd, std::span<const std::byte> bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error::from_errno(errno, "cannot write " + name);
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return {};
}

class StreamTarget : public PullTarget {
 public:
  // `owned` is empty for standard output, which stays open.
  StreamTarget(int fd, UniqueFd owned, std::string name) : fd_(fd), owned_(std::move(owned)), name_(std::move(name)) {}

  bool is_file() const override { return false; }
  Result<void> write(uint64_t, std::span<const std::byte> bytes) override { return write_all(fd_, bytes, name_); }
  Result<void> publish() override { return {}; }
  void discard() override {}

 private:
  const int fd_;
  const UniqueFd owned_;
  const std::string name_;
};

class FileTarget : public PullTarget {
 public:
  FileTarget(UniqueFd fd, std::string path, uint64_t size_bytes, uint64_t old_bytes)
      : fd_(std::move(fd)), path_(std::move(path)), size_bytes_(size_bytes), old_bytes_(old_bytes) {}

  static std::string part_of(const std::string& path) { return path + ".part"; }

  bool is_file() const override { return true; }

  Result<void> write(uint64_t offset, std::span<const std::byte> bytes) override {
    if (is_there(offset, bytes)) return {};
    if (old_bytes_ > offset) {
      if (::ftruncate(fd_.get(), static_cast<off_t>(offset)) != 0) return failed("cannot write ");
      old_bytes_ = offset;
    }
    if (::lseek(fd_.get(), static_cast<off_t>(offset), SEEK_SET) < 0) return failed("cannot write ");
    return write_all(fd_.get(), bytes, part_of(path_));
  }

  Result<void> publish() override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size_bytes_)) != 0 || ::fsync(fd_.get()) != 0) {
      return failed("cannot write ");
    }
    if (::rename(part_of(path_).c_str(), path_.c_str()) != 0) {
      return Error::from_errno(errno, "cannot give the archive its name " + path_);
    }
    const std::string directory = std::filesystem::path(path_).parent_path().string();
    UniqueFd opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (opened.ok()) ::fsync(opened.get());  // the archive is whole either way; its name may need another moment
    return {};
  }

  void discard() override { ::unlink(part_of(path_).c_str()); }

 private:
  Error failed(const std::string& what) const { return Error::from_errno(errno, what + part_of(path_)); }

  // Whether an earlier run has left just these bytes here.
  bool is_there(uint64_t offset, std::span<const std::byte> bytes) {
    if (offset + bytes.size() > old_bytes_) return false;
    old_.resize(bytes.size());
    size_t got = 0;
    while (got < old_.size()) {
      const ssize_t count = ::pread(fd_.get(), old_.data() + got, old_.size() - got, static_cast<off_t>(offset + got));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return false;
      got += static_cast<size_t>(count);
    }
    return std::equal(bytes.begin(), bytes.end(), old_.begin());
  }

  const UniqueFd fd_;
  const std::string path_;
  const uint64_t size_bytes_;
  uint64_t old_bytes_;  // of an earlier run, and not found to differ
  std::vector<std::byte> old_;
};

constexpr int kMaxLinks = 40;  // as many as the kernel follows

// The file that a path leads to, be it there or not.
std::filesystem::path behind_links(const std::string& path) {
  std::error_code failed;
  std::filesystem::path real = std::filesystem::absolute(path, failed);
  for (int links = 0; links < kMaxLinks && std::filesystem::is_symlink(real, failed); ++links) {
    real = real.parent_path() / std::filesystem::read_symlink(real, failed);
  }
  const std::filesystem::path canonical = std::filesystem::canonical(real, failed);
  return failed ? real : canonical;
}

// The part, opened and locked; another run's file of the same name may have been renamed away meanwhile.
Result<UniqueFd> open_part(const std::string& path) {
  const std::string part = FileTarget::part_of(path);
  while (true) {
    UniqueFd fd(::open(part.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666));
    if (!fd.ok())
      return Error::from_errno(
          errno, "cannot create " + part + (errno == ENAMETOOLONG ? "; give a shorter name with -o" : ""));
    // On a filesystem without locks it goes on without one.
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      return sentence(std::errc::device_or_resource_busy, "another regfs-pull writes " + path + " at this moment");
    }
    struct stat opened {};
    struct stat named {};
    if (::fstat(fd.get(), &opened) == 0 && ::lstat(part.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
        opened.st_dev == named.st_dev) {
      if (S_ISREG(opened.st_mode)) return fd;
      return sentence(std::errc::file_exists, part + " is in the way: it is no regular file");
    }
  }
}

std::optional<Error> lacks_room(const std::string& directory, uint64_t needed) {
  struct statvfs room {};
  if (::statvfs(directory.c_str(), &room) != 0) return std::nullopt;
  const uint64_t free = static_cast<uint64_t>(room.f_bavail) * room.f_frsize;
  if (free >= needed) return std::nullopt;
  return sentence(std::errc::no_space_on_device, directory + " has room for " + human_size(free) +
                                                     ", the archive needs " + human_size(needed) +
                                                     ": make room, or give another place with -o");
}

}  // namespace

Result<std::unique_ptr<PullTarget>> PullTarget::file(const std::string& path, uint64_t size_bytes) {
  const std::filesystem::path real = behind_links(path);
  struct stat status {};
  const bool exists = ::stat(real.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) return Error::from_errno(errno, "cannot write " + path);
  if ((exists && S_ISDIR(status.st_mode)) || !real.has_filename()) {
    return sentence(std::errc::is_a_directory, "cannot write " + path + ": it is a directory; give the name of a file");
  }
  if (exists && !S_ISREG(status.st_mode)) {
    UniqueFd fd(::open(real.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd.ok()) return Error::from_errno(errno, "cannot write " + path);
    const int number = fd.get();
    return std::unique_ptr<PullTarget>(std::make_unique<StreamTarget>(number, std::move(fd), path));
  }
  const std::string directory = real.parent_path().string();
  if (::access(directory.c_str(), F_OK) != 0 && errno == ENOENT) {
    return sentence(std::errc::no_such_file_or_directory, "cannot write " + path + ": there is no directory " +
                                                              directory + "; create it with 'mkdir -p " + directory +
                                                              "'");
  }
  Result<UniqueFd> fd = open_part(real.string());
  if (!fd) return fd.error();
  struct stat old {};
  if (::fstat(fd->get(), &old) != 0) return Error::from_errno(errno, "cannot read " + path);
  auto target =
      std::make_unique<FileTarget>(*std::move(fd), real.string(), size_bytes, static_cast<uint64_t>(old.st_size));
  const uint64_t used = static_cast<uint64_t>(old.st_blocks) * 512;
  if (std::optional<Error> full = lacks_room(directory, size_bytes - std::min(size_bytes, used))) {
    if (old.st_size == 0) target->discard();
    return *full;
  }
  return std::unique_ptr<PullTarget>(std::move(target));
}

std::unique_ptr<PullTarget> PullTarget::standard_output() {
  return std::make_unique<StreamTarget>(STDOUT_FILENO, UniqueFd(), "standard output");
}

std::string default_file_name(const std::string& repository, const std::string& target, const std::string& platform) {
  std::string name = repository + "_" + target + "_" + platform + ".tar";
  std::replace_if(
      name.begin(), name.end(), [](char letter) { return letter == '/' || letter == ':'; }, '_');
  return name;
}

}  // namespace regfs
