// SPDX-License-Identifier: MIT
#include "cache/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "base/unique_fd.h"

namespace regfs::cache {
namespace {

template <typename Call>
auto restarted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

Result<void> done(int result, const std::string& what) {
  if (result < 0) return Error::from_errno(errno, what);
  return {};
}

FileFacts to_facts(const struct stat& st) {
  FileFacts facts;
  facts.regular = S_ISREG(st.st_mode);
  facts.directory = S_ISDIR(st.st_mode);
  facts.size_bytes = static_cast<uint64_t>(st.st_size);
  facts.allocated_bytes = static_cast<uint64_t>(st.st_blocks) * 512;
  facts.mtime_nanoseconds = int64_t{st.st_mtim.tv_sec} * 1'000'000'000 + st.st_mtim.tv_nsec;
  facts.ctime_seconds = st.st_ctim.tv_sec;
  facts.ctime_nanoseconds = st.st_ctim.tv_nsec;
  facts.device = st.st_dev;
  facts.inode = st.st_ino;
  facts.permissions = st.st_mode & 07777;
  facts.owner = st.st_uid;
  return facts;
}

class SystemFile : public DiskFile {
 public:
  SystemFile(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<size_t> pread(uint64_t offset, std::span<std::byte> out) const override {
    ssize_t n = restarted([&] { return ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset)); });
    if (n < 0) return Error::from_errno(errno, "cannot read " + path_);
    return static_cast<size_t>(n);
  }
  Result<size_t> pwrite(uint64_t offset, std::span<const std::byte> bytes) override {
    ssize_t n = restarted([&] { return ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (n < 0) return Error::from_errno(errno, "cannot write " + path_);
    return static_cast<size_t>(n);
  }
  Result<void> sync() override {
    return done(restarted([&] { return ::fsync(fd_.get()); }), "cannot sync " + path_);
  }
  void start_writeback() override { ::sync_file_range(fd_.get(), 0, 0, SYNC_FILE_RANGE_WRITE); }
  Result<void> truncate(uint64_t size_bytes) override {
    return done(restarted([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size_bytes)); }),
                "cannot truncate " + path_);
  }
  Result<void> punch(const ByteRange& range) override {
    return done(restarted([&] {
                  return ::fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                     static_cast<off_t>(range.offset), static_cast<off_t>(range.length));
                }),
                "cannot free a part of " + path_);
  }
  Result<FileFacts> facts() const override {
    struct stat st {};
    if (::fstat(fd_.get(), &st) < 0) return Error::from_errno(errno, "cannot stat " + path_);
    return to_facts(st);
  }
  Result<bool> try_lock() override {
    if (restarted([&] { return ::flock(fd_.get(), LOCK_EX | LOCK_NB); }) == 0) return true;
    if (errno == EWOULDBLOCK) return false;
    return Error::from_errno(errno, "cannot lock " + path_);
  }

  Result<bool> try_lock_range(const ByteRange& range, RangeLock kind) override {
    struct flock lock = lock_of(range, kind == RangeLock::shared ? F_RDLCK : F_WRLCK);
    if (restarted([&] { return ::fcntl(fd_.get(), F_OFD_SETLK, &lock); }) == 0) return true;
    if (errno == EAGAIN || errno == EACCES) return false;
    return Error::from_errno(errno, "cannot lock " + path_);
  }
  void unlock_range(const ByteRange& range) override {
    struct flock lock = lock_of(range, F_UNLCK);
    ::fcntl(fd_.get(), F_OFD_SETLK, &lock);
  }
  Result<std::optional<ByteRange>> locked_elsewhere(const ByteRange& range) const override {
    struct flock lock = lock_of(range, F_WRLCK);
    if (::fcntl(fd_.get(), F_OFD_GETLK, &lock) < 0) return Error::from_errno(errno, "cannot ask who locks " + path_);
    if (lock.l_type == F_UNLCK) return std::optional<ByteRange>();
    auto begin = static_cast<uint64_t>(lock.l_start);
    constexpr uint64_t kEndOfAll = uint64_t{1} << 63;  // a length of 0 is to the end
    return std::optional(ByteRange{begin, lock.l_len == 0 ? kEndOfAll - begin : static_cast<uint64_t>(lock.l_len)});
  }

 private:
  static struct flock lock_of(const ByteRange& range, short type) {
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = static_cast<off_t>(range.offset);
    lock.l_len = static_cast<off_t>(range.length);
    return lock;
  }

  const UniqueFd fd_;
  const std::string path_;  // as it was opened, for the sentences
};

int open_flags(OpenFor purpose) {
  constexpr int kAlways = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  switch (purpose) {
    case OpenFor::reading: return kAlways | O_RDONLY;
    case OpenFor::writing: return kAlways | O_RDWR;
    case OpenFor::writing_new: return kAlways | O_RDWR | O_CREAT | O_EXCL;
    case OpenFor::writing_maybe_new: return kAlways | O_RDWR | O_CREAT;
  }
  return kAlways | O_RDONLY;
}

// For filesystems without O_TMPFILE. Sets errno.
UniqueFd make_and_unlink(const std::string& directory) {
  std::string path = directory + "/.regfs-unlinked-XXXXXX";
  UniqueFd fd(::mkostemp(path.data(), O_CLOEXEC));
  if (fd.ok()) ::unlink(path.c_str());
  return fd;
}

class SystemDisk : public Disk {
 public:
  Result<std::unique_ptr<DiskFile>> open(const std::string& path, OpenFor purpose) override {
    auto open = [&] { return ::open(path.c_str(), open_flags(purpose), 0600); };
    const bool makes = purpose == OpenFor::writing_new || purpose == OpenFor::writing_maybe_new;
    UniqueFd fd(restarted(open));
    if (!fd.ok() && errno == ENOENT && makes && make_directory_of(path)) fd = UniqueFd(restarted(open));
    if (!fd.ok()) return Error::from_errno(errno, "cannot open " + path);
    return std::unique_ptr<DiskFile>(std::make_unique<SystemFile>(std::move(fd), path));
  }

  Result<std::unique_ptr<DiskFile>> open_unlinked(const std::string& directory) override {
    UniqueFd fd(restarted([&] { return ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600); }));
    // A filesystem that does not know of it says so in one of these ways.
    bool unknown = !fd.ok() && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL);
    if (unknown) fd = make_and_unlink(directory);
    if (!fd.ok()) return Error::from_errno(errno, "cannot make a file in " + directory);
    return std::unique_ptr<DiskFile>(std::make_unique<SystemFile>(std::move(fd), "a file in " + directory));
  }

  Result<FileFacts> facts(const std::string& path) const override {
    struct stat st {};
    if (::lstat(path.c_str(), &st) < 0) return Error::from_errno(errno, "cannot stat " + path);
    return to_facts(st);
  }

  Result<DiskSpace> space(const std::string& path) const override {
    struct statvfs statistics {};
    if (::statvfs(path.c_str(), &statistics) < 0)
      return Error::from_errno(errno, "cannot ask for the space of " + path);
    if (statistics.f_blocks == 0) return Error::from_errno(EOPNOTSUPP, "nothing tells the space of " + path);
    return DiskSpace{uint64_t{statistics.f_blocks} * statistics.f_frsize,
                     uint64_t{statistics.f_bavail} * statistics.f_frsize};
  }

  Result<void> touch(const std::string& path) override {
    return done(::utimensat(AT_FDCWD, path.c_str(), nullptr, AT_SYMLINK_NOFOLLOW), "cannot touch " + path);
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    int renamed = ::rename(from.c_str(), to.c_str());
    if (renamed < 0 && errno == ENOENT && facts(from) && make_directory_of(to)) {
      renamed = ::rename(from.c_str(), to.c_str());
    }
    return done(renamed, "cannot rename " + from + " to " + to);
  }

  Result<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
    if (errno != EISDIR) return Error::from_errno(errno, "cannot remove " + path);
    std::error_code failed;
    std::filesystem::remove_all(path, failed);
    if (failed) return Error{failed, "cannot remove the directory " + path};
    return {};
  }

  Result<void> remove_empty_directory(const std::string& path) override {
    return done(::rmdir(path.c_str()), "cannot remove the directory " + path);
  }

  Result<void> make_directory(const std::string& path) override {
    for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      Result<void> parent = make_one(path.substr(0, slash));
      if (!parent) return parent;
    }
    return make_one(path);
  }

  Result<void> sync_directory(const std::string& path) override {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.ok()) return Error::from_errno(errno, "cannot open the directory " + path);
    return done(restarted([&] { return ::fsync(fd.get()); }), "cannot sync the directory " + path);
  }

  Result<std::vector<std::string>> list(const std::string& path) const override {
    std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
    if (!directory) return Error::from_errno(errno, "cannot list the directory " + path);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(directory.get())) {
      std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(std::move(name));
    }
    if (errno != 0) return Error::from_errno(errno, "cannot list the directory " + path);
    return names;
  }

  std::string boot_id() const override {
    UniqueFd fd(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
    char text[36];  // a UUID
    if (!fd.ok() || ::read(fd.get(), text, sizeof text) != static_cast<ssize_t>(sizeof text)) return {};
    return std::string(text, sizeof text);
  }

 private:
  // Those who clean a cache up from outside remove empty directories, too. Sets errno to ENOENT again.
  bool make_directory_of(const std::string& path) {
    const bool made = make_directory(path.substr(0, path.rfind('/'))).has_value();
    errno = ENOENT;
    return made;
  }

  static Result<void> make_one(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) == 0) return {};
    int why = errno;
    struct stat st {};
    if (::stat(path.c_str(), &st) == 0) {
      if (S_ISDIR(st.st_mode)) return {};
      why = ENOTDIR;
    }
    return Error::from_errno(why, "cannot make the directory " + path);
  }
};

}  // namespace

std::shared_ptr<Disk> system_disk() {
  return std::make_shared<SystemDisk>();
}

Result<void> read_exactly(const DiskFile& file, uint64_t offset, std::span<std::byte> out) {
  while (!out.empty()) {
    Result<size_t> n = file.pread(offset, out);
    if (!n) return n.error();
    if (*n == 0) return Error::from_errno(EIO, "a cache file ends at byte " + std::to_string(offset) + ", too early");
    offset += *n;
    out = out.subspan(*n);
  }
  return {};
}

Result<void> write_all(DiskFile& file, uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    Result<size_t> n = file.pwrite(offset, bytes);
    if (!n) return n.error();
    if (*n == 0) return Error::from_errno(EIO, "the disk takes no more bytes and does not say why");
    offset += *n;
    bytes = bytes.subspan(*n);
  }
  return {};
}

}  // namespace regfs::cache
