// SPDX-License-Identifier: MIT
#include "cache/part_shelf.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace regfs::cache {
namespace {

// How often a part may vanish between open and lock because others sweep: each has to start a
// process in those microseconds.
constexpr int kOpenAttempts = 8;
// Whoever begins or sweeps a part has it alone for some ten microseconds.
constexpr int kShareAttempts = 20;
constexpr std::chrono::milliseconds kSharePause{1};

}  // namespace

PartShelf::PartShelf(std::shared_ptr<Disk> disk, std::shared_ptr<SmallFiles> small_files, const Layout& layout)
    : layout_(layout),
      tools_(std::make_shared<const PartTools>(PartTools{disk, std::move(small_files), disk->boot_id()})) {}

Result<std::shared_ptr<DiskFile>> PartShelf::open_locked(const std::string& path, OpenFor purpose,
                                                         DiskFile::RangeLock lock) {
  for (int attempt = 0; attempt < kOpenAttempts; ++attempt) {
    Result<std::unique_ptr<DiskFile>> opened = tools_->disk->open(path, purpose);
    bool link = !opened && opened.error().code() == std::errc::too_many_symbolic_link_levels;
    bool directory = !opened && opened.error().code() == std::errc::is_a_directory;
    if (!opened && !link && !directory) return opened.error();
    Result<FileFacts> facts = opened ? (*opened)->facts() : FileFacts{};
    if (!facts) return facts.error();
    if (!facts->regular) {
      Result<void> removed = tools_->disk->remove(path);
      if (!removed) return removed.error();
      continue;
    }
    std::shared_ptr<DiskFile> file = std::move(*opened);
    Result<bool> locked = file->try_lock_range(kInUse, lock);
    if (!locked) return locked.error();
    if (!*locked) return std::shared_ptr<DiskFile>();
    Result<FileFacts> named = tools_->disk->facts(path);
    if (named && named->same_file(*facts)) return file;
  }
  return Error::from_errno(EAGAIN, "cannot get hold of " + path);
}

PartPaths PartShelf::paths(const Digest& digest, uint64_t size_bytes) const {
  std::string path = layout_.part(digest, size_bytes);
  return {path, layout_.ranges(path), layout_.blob(digest)};
}

Result<PartShelf::Found> PartShelf::open(const Digest& digest, uint64_t size_bytes) {
  using Lock = DiskFile::RangeLock;
  const PartPaths names = paths(digest, size_bytes);
  for (int attempt = 0; attempt < kShareAttempts; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(kSharePause);
    Result<std::shared_ptr<DiskFile>> file = open_locked(names.part, OpenFor::writing_maybe_new, Lock::exclusive);
    if (!file) return file.error();
    if (*file) {
      Result<IntervalSet> present = begin_alone(names, size_bytes, **file);
      if (!present) return present.error();
      return Found{std::make_shared<PartFile>(tools_, *file, names, size_bytes), *std::move(present)};
    }
    file = open_locked(names.part, OpenFor::writing, Lock::shared);
    if (!file && !is_missing(file.error())) return file.error();
    if (!file || !*file) continue;  // published or removed just now; or somebody begins it
    std::optional<PartRecord> record = trusted_record(*tools_, names.record, size_bytes, **file);
    return Found{std::make_shared<PartFile>(tools_, *file, names, size_bytes),
                 record ? std::move(record->present) : IntervalSet()};
  }
  return create_spare(digest, size_bytes);
}

// What can be resumed of it; otherwise it is made empty. Then others may share it.
Result<IntervalSet> PartShelf::begin_alone(const PartPaths& names, uint64_t size_bytes, DiskFile& file) {
  std::optional<PartRecord> record = trusted_record(*tools_, names.record, size_bytes, file);
  if (!record) {
    // Its record before its bytes: a record must never speak of more than is there.
    Result<void> emptied = tools_->disk->remove(names.record);
    if (emptied) emptied = file.truncate(0);
    if (!emptied) return emptied.error();
  }
  Result<bool> shared = file.try_lock_range(kInUse, DiskFile::RangeLock::shared);
  if (!shared) return shared.error();
  return record ? std::move(record->present) : IntervalSet();
}

void PartShelf::remove_useless(const Digest& digest, uint64_t size_bytes) {
  const PartPaths names = paths(digest, size_bytes);
  Result<std::shared_ptr<DiskFile>> file = open_locked(names.part, OpenFor::writing, DiskFile::RangeLock::exclusive);
  if (file && *file) PartFile(tools_, *file, names, size_bytes).discard();
}

Result<PartShelf::Found> PartShelf::create_spare(const Digest& digest, uint64_t size_bytes) {
  for (uint64_t number = 1;; ++number) {
    std::string path = layout_.spare_part(digest, size_bytes, ::getpid(), number);
    Result<std::shared_ptr<DiskFile>> file = open_locked(path, OpenFor::writing_new, DiskFile::RangeLock::shared);
    if (!file && file.error().code() == std::errc::file_exists) continue;
    if (!file) return file.error();
    PartPaths names{path, std::string(), layout_.blob(digest)};
    if (*file) return Found{std::make_shared<PartFile>(tools_, *file, std::move(names), size_bytes), IntervalSet()};
  }
}

std::vector<PartShelf::Kept> PartShelf::sweep() {
  std::vector<Kept> all;
  Result<std::vector<std::string>> names = tools_->disk->list(layout_.parts_directory());
  if (!names) return all;
  for (const std::string& file_name : *names) {
    std::optional<PartName> name = parse_part_name(file_name);
    if (!name) continue;
    std::optional<Kept> kept = sweep_part(*name, layout_.parts_directory() + "/" + file_name);
    if (kept) all.push_back(*kept);
  }
  return all;
}

std::optional<PartShelf::Kept> PartShelf::sweep_part(const PartName& name, const std::string& path) {
  if (name.kind == PartName::Kind::ranges) {
    Result<FileFacts> part = tools_->disk->facts(layout_.part(name.digest, name.size_bytes));
    if (!part && is_missing(part.error())) (void)tools_->disk->remove(path);
    return std::nullopt;
  }
  Result<std::shared_ptr<DiskFile>> file = open_locked(path, OpenFor::writing, DiskFile::RangeLock::exclusive);
  if (!file || !*file) return std::nullopt;
  std::optional<PartRecord> record;
  if (name.kind == PartName::Kind::part) {
    record = trusted_record(*tools_, layout_.ranges(path), name.size_bytes, **file);
  }
  if (record) return Kept{name.digest, name.size_bytes, record->present.total()};
  (void)tools_->disk->remove(layout_.ranges(path));
  (void)tools_->disk->remove(path);
  return std::nullopt;
}

}  // namespace regfs::cache
