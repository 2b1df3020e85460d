// SPDX-License-Identifier: MIT
// The few system calls the cache makes, as an interface, so that tests can fill the disk, pull the
// plug and count. Nothing here knows what a blob is.
//
// Errors carry the errno untouched. Every call is restarted after EINTR. Safe to use from any thread.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "cache/byte_range.h"

namespace regfs::cache {

// A byte of a cache file that is only locked, far behind any blob's end: shared by each who has the file open,
// exclusively by who begins it anew or removes it.
inline constexpr ByteRange kInUse{1ull << 62, 1};

struct DiskSpace {
  uint64_t total_bytes = 0;
  uint64_t free_bytes = 0;  // to this user
};

struct FileFacts {
  bool regular = false;
  bool directory = false;
  uint64_t size_bytes = 0;
  uint64_t allocated_bytes = 0;
  int64_t mtime_nanoseconds = 0;  // since 1970
  int64_t ctime_seconds = 0;
  int64_t ctime_nanoseconds = 0;
  uint64_t device = 0;
  uint64_t inode = 0;
  uint32_t permissions = 0;  // the low twelve bits of the mode
  uint32_t owner = 0;        // uid

  bool same_file(const FileFacts& other) const { return device == other.device && inode == other.inode; }
};

// One open file; the destructor closes it.
class DiskFile {
 public:
  virtual ~DiskFile() = default;

  virtual Result<size_t> pread(uint64_t offset, std::span<std::byte> out) const = 0;     // may be short; 0 is the end
  virtual Result<size_t> pwrite(uint64_t offset, std::span<const std::byte> bytes) = 0;  // may be short
  virtual Result<void> sync() = 0;     // data and size are on the disk; may take seconds
  virtual void start_writeback() = 0;  // a hint: so that a later sync() has less to do
  virtual Result<void> truncate(uint64_t size_bytes) = 0;
  virtual Result<void> punch(const ByteRange& range) = 0;  // makes a hole of it, where the filesystem can
  virtual Result<FileFacts> facts() const = 0;
  // An exclusive flock until the file is closed; false when someone else has it. Never waits.
  virtual Result<bool> try_lock() = 0;

  // Locks on ranges, which need not exist, against every other open of the file, here and in other processes (fcntl's
  // open file description locks). They end with this open; one of our own is converted, never in our way. Never wait.
  enum class RangeLock { shared, exclusive };
  virtual Result<bool> try_lock_range(const ByteRange& range, RangeLock kind) = 0;
  virtual void unlock_range(const ByteRange& range) = 0;
  // Some range that others have locked and that keeps us from locking all of this one exclusively.
  virtual Result<std::optional<ByteRange>> locked_elsewhere(const ByteRange& range) const = 0;
};

enum class OpenFor {
  reading,
  writing,            // existing, read and write
  writing_new,        // fails with EEXIST when there is one
  writing_maybe_new,  // whichever
};

class Disk {
 public:
  virtual ~Disk() = default;

  // Never follows a symbolic link (ELOOP) and never waits for a FIFO's other end; whether it is a
  // regular file is for the caller to ask. New files are 0600.
  virtual Result<std::unique_ptr<DiskFile>> open(const std::string& path, OpenFor purpose) = 0;
  // A new file of that directory's filesystem, without a name: gone when it is closed, however the process ends.
  virtual Result<std::unique_ptr<DiskFile>> open_unlinked(const std::string& directory) = 0;
  virtual Result<FileFacts> facts(const std::string& path) const = 0;  // of a symbolic link itself
  virtual Result<DiskSpace> space(const std::string& path) const = 0;  // of its filesystem
  virtual Result<void> touch(const std::string& path) = 0;             // sets its mtime to now
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  // Whatever bears that name, a directory with all that is in it too; nothing there is fine.
  virtual Result<void> remove(const std::string& path) = 0;
  virtual Result<void> remove_empty_directory(const std::string& path) = 0;
  virtual Result<void> make_directory(const std::string& path) = 0;  // 0700, parents too; one that exists is fine
  virtual Result<void> sync_directory(const std::string& path) = 0;  // the names in it are on the disk
  virtual Result<std::vector<std::string>> list(const std::string& path) const = 0;  // unordered
  // Names the time since the machine started: what was written but not synced is still there while
  // it is the same. Empty when unknown.
  virtual std::string boot_id() const = 0;
};

std::shared_ptr<Disk> system_disk();

// All of it or an error; running into the end of the file is EIO.
Result<void> read_exactly(const DiskFile& file, uint64_t offset, std::span<std::byte> out);
Result<void> write_all(DiskFile& file, uint64_t offset, std::span<const std::byte> bytes);

inline bool is_full(const Error& error) {
  return error.code() == std::errc::no_space_on_device || error.code().value() == EDQUOT;
}
inline bool is_missing(const Error& error) {
  return error.code() == std::errc::no_such_file_or_directory;
}

}  // namespace regfs::cache
