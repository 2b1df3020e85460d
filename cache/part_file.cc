// SPDX-License-Identifier: MIT
#include "cache/part_file.h"

#include <chrono>
#include <thread>

namespace regfs::cache {
namespace {

// Whoever changes a record has it for some ten microseconds. One that was stopped there must not stop the others: after
// this long they go on without the lock, and at worst a range is fetched twice.
constexpr int kRecordAttempts = 50;
constexpr std::chrono::milliseconds kRecordPause{1};

class RecordLock {
 public:
  explicit RecordLock(DiskFile& file) : file_(file) {
    for (int attempt = 0; attempt < kRecordAttempts; ++attempt) {
      Result<bool> locked = file_.try_lock_range(kPartRecording, DiskFile::RangeLock::exclusive);
      if (!locked || *locked) return;
      std::this_thread::sleep_for(kRecordPause);
    }
  }
  ~RecordLock() { file_.unlock_range(kPartRecording); }
  RecordLock(const RecordLock&) = delete;
  RecordLock& operator=(const RecordLock&) = delete;

 private:
  DiskFile& file_;
};

bool contains_all(const IntervalSet& all, const IntervalSet& some) {
  for (const ByteRange& range : some.ranges()) {
    if (!all.contains(range)) return false;
  }
  return true;
}

// `synced` stays so only if what others brought is on the disk, too.
IntervalSet merged(const IntervalSet& present, const std::optional<PartRecord>& before, bool& synced) {
  IntervalSet all = present;
  if (!before) return all;
  // What others brought since our sync may not be on the disk, unless their record says so.
  synced = synced && (before->synced || contains_all(present, before->present));
  for (const ByteRange& range : before->present.ranges()) all.add(range);
  if (contains_all(before->present, all)) synced = synced || before->synced;
  return all;
}

}  // namespace

std::optional<PartRecord> trusted_record(const PartTools& tools, const std::string& record_path, uint64_t size_bytes,
                                         const DiskFile& file) {
  Result<std::optional<std::string>> text = tools.small_files->read(record_path, kMaxRecordBytes);
  if (!text || !*text) return std::nullopt;
  std::optional<PartRecord> record = parse_part_record(**text);
  if (!record || record->size_bytes != size_bytes || !record->trusted(tools.boot_id)) return std::nullopt;
  Result<FileFacts> facts = file.facts();
  std::vector<ByteRange> ranges = record->present.ranges();
  if (!facts || ranges.empty() || facts->size_bytes < ranges.back().end()) return std::nullopt;
  return record;
}

PartFile::PartFile(std::shared_ptr<const PartTools> tools, std::shared_ptr<DiskFile> file, PartPaths paths,
                   uint64_t size_bytes)
    : tools_(std::move(tools)), file_(std::move(file)), paths_(std::move(paths)), size_bytes_(size_bytes) {}

bool PartFile::is_named(const std::string& path) const {
  Result<FileFacts> named = tools_->disk->facts(path);
  Result<FileFacts> held = file_->facts();
  return named && held && named->same_file(*held);
}

bool PartFile::shared() const {
  if (!resumable()) return false;
  Result<std::optional<ByteRange>> other = file_->locked_elsewhere(kInUse);
  return other && *other;
}

std::optional<ByteRange> PartFile::lock(ByteRange range) {
  if (!resumable()) return range;
  while (range.length > 0) {
    Result<bool> locked = file_->try_lock_range(range, DiskFile::RangeLock::exclusive);
    if (!locked || *locked) return range;  // a filesystem without locks is one where nothing is shared
    Result<std::optional<ByteRange>> other = file_->locked_elsewhere(range);
    if (!other) return range;
    if (!*other) continue;  // let go between the two calls
    if ((*other)->offset > range.offset) {
      range.length = (*other)->offset - range.offset;
    } else {
      uint64_t from = std::min((*other)->end(), range.end());
      range = {from, range.end() - from};
    }
  }
  return std::nullopt;
}

void PartFile::unlock(const ByteRange& range) {
  if (resumable() && range.length > 0) file_->unlock_range(range);
}

bool PartFile::locked_elsewhere(ByteRange range) const {
  if (!resumable()) return false;
  IntervalSet locked;
  // Others' locks in no order: what is known of is left out, until nothing or a free byte remains.
  while (std::optional<ByteRange> gap = locked.first_gap(range)) {
    Result<std::optional<ByteRange>> other = file_->locked_elsewhere(*gap);
    if (!other || !*other) return false;
    locked.add(**other);
  }
  return true;
}

Result<IntervalSet> PartFile::record(const IntervalSet& present, Sync sync) {
  if (!resumable()) return present;
  bool synced = sync == Sync::yes;
  if (synced) {
    Result<void> done = file_->sync();
    if (!done) return done.error();
  } else {
    file_->start_writeback();
  }
  MutexLock lock(mutex_);
  if (gone_) return present;
  RecordLock recording(*file_);
  // Before the name is looked at: a part that has it still had its record, too.
  const std::optional<PartRecord> before = trusted_record(*tools_, paths_.record, size_bytes_, *file_);
  if (!is_named(paths_.part)) {
    // Another process published it, or found it wrong.
    if (is_named(paths_.blob)) return IntervalSet({0, size_bytes_});
    return Error{Errc::cancelled, paths_.part + " was removed"};
  }
  IntervalSet all = merged(present, before, synced);
  bool known = before && before->present == all && (before->synced || !synced);
  if (known || all.empty()) return all;
  PartRecord record{size_bytes_, tools_->boot_id, synced, all};
  Result<FileFacts> written =
      tools_->small_files->write(paths_.record, to_text(record), SmallFiles::Durability::renamed);
  if (!written) return written.error();
  return all;
}

void PartFile::discard() {
  MutexLock lock(mutex_);
  if (std::exchange(gone_, true)) return;
  RecordLock recording(*file_);
  if (!is_named(paths_.part)) return;
  // The record first: without it what is left of the part is debris, and the next sweep takes it.
  if (resumable()) (void)tools_->disk->remove(paths_.record);
  (void)tools_->disk->remove(paths_.part);
}

void PartFile::discard_unless_shared() {
  Result<bool> alone = file_->try_lock_range(kInUse, DiskFile::RangeLock::exclusive);
  if (!alone || *alone) discard();
}

Result<FileFacts> PartFile::publish(const std::string& directory) {
  Result<void> synced = file_->sync();
  if (!synced) {
    // The kernel tells of a lost write once: a second sync would say that all is well. Readers go on by the open file.
    discard();
    return synced.error();
  }
  Result<FileFacts> facts = file_->facts();
  if (!facts) return facts;
  if (facts->size_bytes != size_bytes_) {
    return Error{Errc::wrong_length, "somebody changed the length of " + paths_.part + "; it stays unpublished"};
  }
  {
    MutexLock lock(mutex_);
    if (gone_) return Error{Errc::cancelled, paths_.part + " is gone"};
    RecordLock recording(*file_);  // nobody writes a record of what is no part any more
    Result<void> renamed = is_named(paths_.part) ? tools_->disk->rename(paths_.part, paths_.blob)
                                                 : Error::from_errno(ENOENT, paths_.part + " is gone");
    if (!renamed && !is_named(paths_.blob)) return renamed.error();
    gone_ = true;
    if (renamed && resumable()) (void)tools_->disk->remove(paths_.record);
  }
  synced = tools_->disk->sync_directory(directory);
  if (!synced) return synced.error();
  return file_->facts();  // the rename changed the ctime
}

}  // namespace regfs::cache
