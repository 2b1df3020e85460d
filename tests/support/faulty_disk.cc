// SPDX-License-Identifier: MIT
#include "tests/support/faulty_disk.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace regfs::test {

using cache::DiskFile;
using cache::FileFacts;
using cache::OpenFor;

class FaultyFile : public DiskFile {
 public:
  FaultyFile(FaultyDisk& disk, std::unique_ptr<DiskFile> real, std::shared_ptr<FaultyDisk::Dirt> dirt)
      : disk_(disk), real_(std::move(real)), dirt_(std::move(dirt)) {}

  Result<size_t> pread(uint64_t offset, std::span<std::byte> out) const override {
    Result<void> good = disk_.pass(FaultyDisk::Call::reading);
    if (!good) return good.error();
    return real_->pread(offset, out);
  }
  Result<size_t> pwrite(uint64_t offset, std::span<const std::byte> bytes) override {
    Result<void> good = disk_.change();
    if (good) good = disk_.take_room(bytes.size());
    if (!good) return good.error();
    {
      MutexLock lock(disk_.mutex_);
      dirt_->unsynced.add({offset, bytes.size()});
    }
    return real_->pwrite(offset, bytes);
  }
  Result<void> sync() override {
    Result<void> good = disk_.pass(FaultyDisk::Call::syncing);
    if (good) good = disk_.change();
    if (!good) return good;
    MutexLock lock(disk_.mutex_);
    dirt_->unsynced = cache::IntervalSet();
    dirt_->ever_synced = true;
    return {};
  }
  void start_writeback() override {}
  Result<void> truncate(uint64_t size_bytes) override {
    Result<void> good = disk_.change();
    return good ? real_->truncate(size_bytes) : good;
  }
  Result<void> punch(const cache::ByteRange& range) override {
    Result<void> good = disk_.change();
    if (good) good = real_->punch(range);
    if (good) disk_.give_room(range.length);
    return good;
  }
  Result<FileFacts> facts() const override { return real_->facts(); }
  Result<bool> try_lock() override { return real_->try_lock(); }
  Result<bool> try_lock_range(const cache::ByteRange& range, RangeLock kind) override {
    return real_->try_lock_range(range, kind);
  }
  void unlock_range(const cache::ByteRange& range) override { real_->unlock_range(range); }
  Result<std::optional<cache::ByteRange>> locked_elsewhere(const cache::ByteRange& range) const override {
    return real_->locked_elsewhere(range);
  }

 private:
  FaultyDisk& disk_;
  const std::unique_ptr<DiskFile> real_;
  const std::shared_ptr<FaultyDisk::Dirt> dirt_;
};

void FaultyDisk::set_room(std::optional<uint64_t> bytes) {
  MutexLock lock(mutex_);
  room_ = bytes;
}

void FaultyDisk::give_room(uint64_t bytes) {
  MutexLock lock(mutex_);
  if (room_) *room_ += bytes;
}

void FaultyDisk::set_space(SpaceTeller teller) {
  MutexLock lock(mutex_);
  space_ = std::move(teller);
}

Result<cache::DiskSpace> FaultyDisk::space(const std::string& path) const {
  SpaceTeller teller;
  {
    MutexLock lock(mutex_);
    teller = space_;
  }
  return teller ? teller() : real_->space(path);
}

void FaultyDisk::fail(Call call, int errno_value) {
  MutexLock lock(mutex_);
  errnos_[call] = errno_value;
}

void FaultyDisk::hold(Call call) {
  MutexLock lock(mutex_);
  held_.insert(call);
}

void FaultyDisk::release(Call call) {
  MutexLock lock(mutex_);
  held_.erase(call);
  moved_.notify_all();
}

Result<void> FaultyDisk::pass(Call call) {
  MutexLock lock(mutex_);
  while (held_.contains(call)) moved_.wait(lock);
  auto failing = errnos_.find(call);
  if (failing == errnos_.end() || failing->second == 0) return {};
  return Error::from_errno(failing->second, "the disk fails as told");
}

void FaultyDisk::die_after(uint64_t changes) {
  MutexLock lock(mutex_);
  last_change_ = changes_ + changes;
}

uint64_t FaultyDisk::changes() const {
  MutexLock lock(mutex_);
  return changes_;
}

void FaultyDisk::set_boot_id(std::string id) {
  MutexLock lock(mutex_);
  boot_id_ = std::move(id);
}

std::string FaultyDisk::boot_id() const {
  MutexLock lock(mutex_);
  return boot_id_;
}

void FaultyDisk::lose_unsynced(Names names) {
  MutexLock lock(mutex_);
  boot_id_ = "after-" + boot_id_;
  for (const std::shared_ptr<Dirt>& file : dirt_) {
    Result<std::unique_ptr<DiskFile>> real = real_->open(file->path, OpenFor::writing);
    if (!real) continue;
    if (!file->ever_synced) (void)(*real)->truncate(0);
    for (const cache::ByteRange& range : file->unsynced.ranges()) {
      std::vector<std::byte> zeros(range.length);
      if (file->ever_synced) (void)cache::write_all(**real, range.offset, zeros);
    }
  }
  if (names == Names::undone) {
    std::reverse(unsynced_names_.begin(), unsynced_names_.end());
    for (const Rename& rename : unsynced_names_) (void)real_->rename(rename.to, rename.from);
  }
  dirt_.clear();
  unsynced_names_.clear();
}

bool FaultyDisk::wait_renamed_to(const std::string& path, size_t times) {
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  MutexLock lock(mutex_);
  while (renames_to_[path] < times) {
    if (died_) return false;
    if (!moved_.wait_until(lock, deadline)) return renames_to_[path] >= times;
  }
  return true;
}

void FaultyDisk::before_touching(const std::string& path, Job job) {
  MutexLock lock(mutex_);
  jobs_[path] = std::move(job);
}

void FaultyDisk::run_job_of(const std::string& path) {
  MutexLock lock(mutex_);
  auto job = jobs_.extract(path);
  lock.unlock();
  if (!job.empty()) job.mapped()();
}

Result<std::unique_ptr<DiskFile>> FaultyDisk::open(const std::string& path, OpenFor purpose) {
  run_job_of(path);
  Result<void> good = pass(Call::opening);
  bool makes = purpose == OpenFor::writing_new || purpose == OpenFor::writing_maybe_new;
  if (good && makes) good = change();
  if (!good) return good.error();
  Result<std::unique_ptr<DiskFile>> real = real_->open(path, purpose);
  if (!real) return real;
  MutexLock lock(mutex_);
  auto known = std::find_if(dirt_.begin(), dirt_.end(), [&](const auto& file) { return file->path == path; });
  if (known == dirt_.end()) {
    auto fresh = std::make_shared<Dirt>();
    fresh->path = path;
    fresh->ever_synced = !makes;
    known = dirt_.insert(dirt_.end(), std::move(fresh));
  }
  return std::unique_ptr<DiskFile>(std::make_unique<FaultyFile>(*this, std::move(*real), *known));
}

Result<std::unique_ptr<DiskFile>> FaultyDisk::open_unlinked(const std::string& directory) {
  Result<void> good = pass(Call::opening);
  if (good) good = change();
  if (!good) return good.error();
  Result<std::unique_ptr<DiskFile>> real = real_->open_unlinked(directory);
  if (!real) return real;
  return std::unique_ptr<DiskFile>(std::make_unique<FaultyFile>(*this, std::move(*real), std::make_shared<Dirt>()));
}

Result<void> FaultyDisk::rename(const std::string& from, const std::string& to) {
  run_job_of(from);
  Result<void> good = change();
  if (good) good = real_->rename(from, to);
  if (!good) return good;
  MutexLock lock(mutex_);
  std::erase_if(dirt_, [&](const auto& file) { return file->path == to; });
  for (const std::shared_ptr<Dirt>& file : dirt_) {
    if (file->path == from) file->path = to;
  }
  unsynced_names_.push_back({from, to});
  ++renames_to_[to];
  moved_.notify_all();
  return {};
}

Result<void> FaultyDisk::remove(const std::string& path) {
  run_job_of(path);
  Result<void> good = change();
  if (good) good = real_->remove(path);
  if (!good) return good;
  MutexLock lock(mutex_);
  std::erase_if(dirt_, [&](const auto& file) { return file->path == path; });
  std::erase_if(unsynced_names_, [&](const Rename& rename) { return rename.to == path; });
  return {};
}

Result<void> FaultyDisk::remove_empty_directory(const std::string& path) {
  Result<void> good = change();
  return good ? real_->remove_empty_directory(path) : good;
}

Result<void> FaultyDisk::make_directory(const std::string& path) {
  Result<void> good = change();
  return good ? real_->make_directory(path) : good;
}

Result<void> FaultyDisk::sync_directory(const std::string& path) {
  Result<void> good = change();
  if (!good) return good;
  MutexLock lock(mutex_);
  std::erase_if(unsynced_names_,
                [&](const Rename& rename) { return std::filesystem::path(rename.to).parent_path() == path; });
  return {};
}

Result<void> FaultyDisk::change() {
  MutexLock lock(mutex_);
  if (last_change_ && changes_ >= *last_change_) {
    died_ = true;
    moved_.notify_all();
    return Error::from_errno(EIO, "the process is dead");
  }
  ++changes_;
  return {};
}

Result<void> FaultyDisk::take_room(uint64_t bytes) {
  MutexLock lock(mutex_);
  if (!room_) return {};
  if (bytes > *room_) return Error::from_errno(ENOSPC, "the disk is full");
  *room_ -= bytes;
  return {};
}

}  // namespace regfs::test
