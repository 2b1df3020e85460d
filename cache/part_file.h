// SPDX-License-Identifier: MIT
// A blob that is not complete, on disk: the file its bytes go to, and beside it a record of which have come.
//
// Several processes may fill one part. Each holds a shared lock on it as long as it is open, so that none sweeps it;
// who brings a range has locked that range, and keeps it locked until the record tells of its bytes. So no range is
// brought twice at once, and the lock of one that dies is gone with it. The record is read, merged and replaced, and
// the part renamed or removed, under a lock of its own.
//
// Owned jointly by the Blob it belongs to and by the jobs that record or publish it. Safe to use from any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "cache/interval_set.h"
#include "cache/records.h"
#include "cache/small_files.h"

namespace regfs::cache {

// What all part files of a directory share.
struct PartTools {
  std::shared_ptr<Disk> disk;
  std::shared_ptr<SmallFiles> small_files;
  std::string boot_id;
};

// A byte of a part file that is only locked, far behind any blob's end, by who changes the record, or the part's name.
inline constexpr ByteRange kPartRecording{(1ull << 62) + 1, 1};

struct PartPaths {
  std::string part;
  std::string record;  // empty: nobody else knows this part, and nobody will look for it later
  std::string blob;    // its name once it is published
};

// The record of a part, if its bytes can be relied on.
std::optional<PartRecord> trusted_record(const PartTools& tools, const std::string& record_path, uint64_t size_bytes,
                                         const DiskFile& file);

class PartFile {
 public:
  // `file` is open and locked (kInUse, shared).
  PartFile(std::shared_ptr<const PartTools> tools, std::shared_ptr<DiskFile> file, PartPaths paths,
           uint64_t size_bytes);

  const std::shared_ptr<DiskFile>& file() const { return file_; }
  bool resumable() const { return !paths_.record.empty(); }

  // Whether another process has it open.
  bool shared() const;
  // The first stretch of `range` that no other process brings, now locked; nullopt when all of it comes.
  std::optional<ByteRange> lock(ByteRange range);
  void unlock(const ByteRange& range);
  bool locked_elsewhere(ByteRange range) const;  // every byte

  enum class Sync { no, yes };
  // Writes down that these bytes have come, beside those that others wrote down; with Sync::yes only once they are on
  // the disk, which may take seconds. Writes nothing when as much was known before. Returns all that has come: what
  // the record says, or the whole when another process has published the file. Errc::cancelled: somebody removed it.
  Result<IntervalSet> record(const IntervalSet& present, Sync sync);
  // Unlinks the part and its record, whoever shares it. Who holds file() may go on reading.
  void discard();
  // Does so unless another process has it.
  void discard_unless_shared();
  // Gives the part, complete and verified, its final name: sync → rename → sync of `directory`. Good as well when
  // another process has done so with the same file.
  Result<FileFacts> publish(const std::string& directory);

 private:
  bool is_named(const std::string& path) const;

  const std::shared_ptr<const PartTools> tools_;
  const std::shared_ptr<DiskFile> file_;
  const PartPaths paths_;
  const uint64_t size_bytes_;

  Mutex mutex_;
  bool gone_ REGFS_GUARDED_BY(mutex_) = false;  // discarded or published
};

}  // namespace regfs::cache
