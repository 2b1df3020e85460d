// SPDX-License-Identifier: MIT
// A Disk that breaks on demand: full, unreadable, slow, or gone with everything that was not synced.
// Decorates a real one and remembers what was renamed where. Safe to use from any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/job.h"
#include "base/mutex.h"
#include "cache/disk.h"
#include "cache/interval_set.h"

namespace regfs::test {

class FaultyDisk : public cache::Disk {
 public:
  FaultyDisk() : real_(cache::system_disk()) {}

  // Room for that many bytes more; then ENOSPC. nullopt: as much as there is.
  void set_room(std::optional<uint64_t> bytes);
  enum class Call { opening, reading, syncing };
  void fail(Call call, int errno_value);  // every one from now on; 0 ends it
  void hold(Call call);                   // every one waits until let go
  void release(Call call);
  // Runs once, on the thread that opens, renames or removes what has that path next, before it does.
  void before_touching(const std::string& path, Job job);
  // The process dies: the change after that many, and all that follow, fail with EIO.
  void die_after(uint64_t changes);
  uint64_t changes() const;  // writes, syncs, renames, removals, new files … so far

  // The power fails: what was written and not synced reads as zeros, files never synced are empty.
  // Names that were not synced are as they were before, or as they should have become: a disk may do
  // either. The machine starts anew.
  enum class Names { undone, kept };
  void lose_unsynced(Names names);
  void set_boot_id(std::string id);

  // Waits until that many renames onto the path have happened; false after 20 s, or when the process
  // died before.
  bool wait_renamed_to(const std::string& path, size_t times = 1);

  Result<std::unique_ptr<cache::DiskFile>> open(const std::string& path, cache::OpenFor purpose) override;
  Result<std::unique_ptr<cache::DiskFile>> open_unlinked(const std::string& directory) override;
  Result<cache::FileFacts> facts(const std::string& path) const override { return real_->facts(path); }
  // What the filesystem is said to have; by default, or told nothing, as much as it has.
  using SpaceTeller = std::function<cache::DiskSpace()>;
  void set_space(SpaceTeller teller);
  Result<cache::DiskSpace> space(const std::string& path) const override;
  Result<void> touch(const std::string& path) override { return real_->touch(path); }
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> remove_empty_directory(const std::string& path) override;
  Result<void> make_directory(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) const override { return real_->list(path); }
  std::string boot_id() const override;

 private:
  friend class FaultyFile;
  // A file as the tests know it, whatever its name is by now.
  struct Dirt {
    cache::IntervalSet unsynced;
    bool ever_synced = false;
    std::string path;
  };
  struct Rename {
    std::string from;
    std::string to;
  };

  Result<void> change();  // counts one; the error when the process is dead
  Result<void> take_room(uint64_t bytes);
  void give_room(uint64_t bytes);
  void run_job_of(const std::string& path);
  Result<void> pass(Call call);  // waits while held, then fails if it is to fail

  const std::shared_ptr<cache::Disk> real_;
  mutable Mutex mutex_;
  CondVar moved_;
  SpaceTeller space_ REGFS_GUARDED_BY(mutex_);
  std::optional<uint64_t> room_ REGFS_GUARDED_BY(mutex_);
  std::map<Call, int> errnos_ REGFS_GUARDED_BY(mutex_);
  std::set<Call> held_ REGFS_GUARDED_BY(mutex_);
  std::map<std::string, Job> jobs_ REGFS_GUARDED_BY(mutex_);
  std::optional<uint64_t> last_change_ REGFS_GUARDED_BY(mutex_);
  bool died_ REGFS_GUARDED_BY(mutex_) = false;
  uint64_t changes_ REGFS_GUARDED_BY(mutex_) = 0;
  std::vector<std::shared_ptr<Dirt>> dirt_ REGFS_GUARDED_BY(mutex_);
  std::vector<Rename> unsynced_names_ REGFS_GUARDED_BY(mutex_);
  std::map<std::string, size_t> renames_to_ REGFS_GUARDED_BY(mutex_);
  std::string boot_id_ REGFS_GUARDED_BY(mutex_) = "11111111-1111-1111-1111-111111111111";
};

}  // namespace regfs::test
