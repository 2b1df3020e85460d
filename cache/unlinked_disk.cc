// SPDX-License-Identifier: MIT
#include "cache/unlinked_disk.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <map>

#include "base/mutex.h"

namespace regfs::cache {
namespace {

int64_t nanoseconds_now() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count();
}

// The bytes of one file, whatever its name is by now.
struct Content {
  explicit Content(uint64_t number) : inode(number) {}

  const uint64_t inode;
  std::shared_ptr<DiskFile> large;  // null: in `bytes`
  std::atomic<int> users{0};
  std::atomic<int64_t> last_touched{0};
  mutable Mutex mutex;
  std::string bytes REGFS_GUARDED_BY(mutex);
};

class UnlinkedFile : public DiskFile {
 public:
  explicit UnlinkedFile(std::shared_ptr<Content> content) : content_(std::move(content)) {}

  Result<size_t> pread(uint64_t offset, std::span<std::byte> out) const override {
    if (content_->large) return content_->large->pread(offset, out);
    MutexLock lock(content_->mutex);
    const std::string& bytes = content_->bytes;
    if (offset >= bytes.size()) return size_t{0};
    size_t length = std::min<uint64_t>(out.size(), bytes.size() - offset);
    std::memcpy(out.data(), bytes.data() + offset, length);
    return length;
  }
  Result<size_t> pwrite(uint64_t offset, std::span<const std::byte> bytes) override {
    if (content_->large) return content_->large->pwrite(offset, bytes);
    MutexLock lock(content_->mutex);
    if (content_->bytes.size() < offset + bytes.size()) content_->bytes.resize(offset + bytes.size());
    std::memcpy(content_->bytes.data() + offset, bytes.data(), bytes.size());
    content_->last_touched = nanoseconds_now();
    return bytes.size();
  }
  Result<void> sync() override { return {}; }
  void start_writeback() override {}
  Result<void> truncate(uint64_t size_bytes) override {
    if (content_->large) return content_->large->truncate(size_bytes);
    MutexLock lock(content_->mutex);
    content_->bytes.resize(size_bytes);
    return {};
  }
  Result<void> punch(const ByteRange& range) override {
    if (content_->large) return content_->large->punch(range);
    return {};  // it is small
  }
  Result<FileFacts> facts() const override {
    if (content_->large) return content_->large->facts();
    FileFacts facts;
    facts.mtime_nanoseconds = content_->last_touched;
    facts.regular = true;
    facts.inode = content_->inode;
    facts.permissions = 0600;
    MutexLock lock(content_->mutex);
    facts.size_bytes = content_->bytes.size();
    return facts;
  }
  ~UnlinkedFile() override { use(false); }
  UnlinkedFile(const UnlinkedFile&) = delete;
  UnlinkedFile& operator=(const UnlinkedFile&) = delete;

  // No other process can know it, and a store opens a file once; but what is in use must not be evicted.
  Result<bool> try_lock() override { return true; }
  Result<bool> try_lock_range(const ByteRange& range, RangeLock kind) override {
    if (range != kInUse) return true;
    if (kind == RangeLock::exclusive) return content_->users == (uses_ ? 1 : 0);
    use(true);
    return true;
  }
  void unlock_range(const ByteRange&) override {}
  Result<std::optional<ByteRange>> locked_elsewhere(const ByteRange&) const override {
    return std::optional<ByteRange>();
  }

 private:
  void use(bool uses) {
    if (uses != std::exchange(uses_, uses)) content_->users += uses ? 1 : -1;
  }

  const std::shared_ptr<Content> content_;
  bool uses_ = false;  // kInUse is locked
};

class UnlinkedDisk : public Disk {
 public:
  UnlinkedDisk(std::shared_ptr<Disk> real, std::optional<std::string> directory, std::string large_below)
      : real_(std::move(real)), directory_(std::move(directory)), large_below_(std::move(large_below) + "/") {}

  Result<std::unique_ptr<DiskFile>> open(const std::string& path, OpenFor purpose) override {
    MutexLock lock(mutex_);
    auto known = files_.find(path);
    if (known != files_.end() && purpose == OpenFor::writing_new) return Error::from_errno(EEXIST, path + " exists");
    if (known == files_.end()) {
      if (purpose == OpenFor::reading || purpose == OpenFor::writing) return missing(path);
      Result<std::shared_ptr<Content>> made = make(path);
      if (!made) return made.error();
      known = files_.emplace(path, *std::move(made)).first;
    }
    return std::unique_ptr<DiskFile>(std::make_unique<UnlinkedFile>(known->second));
  }
  Result<std::unique_ptr<DiskFile>> open_unlinked(const std::string& directory) override {
    return real_->open_unlinked(directory);
  }

  Result<FileFacts> facts(const std::string& path) const override {
    MutexLock lock(mutex_);
    auto known = files_.find(path);
    if (known == files_.end()) return missing(path);
    const UnlinkedFile file(known->second);
    return file.facts();
  }

  Result<DiskSpace> space(const std::string& path) const override { return real_->space(path); }

  Result<void> touch(const std::string& path) override {
    MutexLock lock(mutex_);
    auto known = files_.find(path);
    if (known == files_.end()) return missing(path);
    known->second->last_touched = nanoseconds_now();
    return {};
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    MutexLock lock(mutex_);
    auto known = files_.extract(from);
    if (known.empty()) return missing(from);
    files_.insert_or_assign(to, std::move(known.mapped()));
    return {};
  }

  Result<void> remove(const std::string& path) override {
    MutexLock lock(mutex_);
    files_.erase(path);
    return {};
  }

  Result<void> remove_empty_directory(const std::string&) override { return {}; }
  Result<void> make_directory(const std::string&) override { return {}; }
  Result<void> sync_directory(const std::string&) override { return {}; }

  // Files and the directories that files imply.
  Result<std::vector<std::string>> list(const std::string& path) const override {
    const std::string below = path + "/";
    std::vector<std::string> names;
    MutexLock lock(mutex_);
    for (auto it = files_.lower_bound(below); it != files_.end() && it->first.starts_with(below); ++it) {
      std::string name = it->first.substr(below.size(), it->first.find('/', below.size()) - below.size());
      if (names.empty() || names.back() != name) names.push_back(std::move(name));
    }
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
  }

  std::string boot_id() const override { return {}; }

 private:
  static Error missing(const std::string& path) { return Error::from_errno(ENOENT, path + " does not exist"); }

  Result<std::shared_ptr<Content>> make(const std::string& path) REGFS_REQUIRES(mutex_) {
    auto content = std::make_shared<Content>(next_inode_++);
    if (directory_ && path.starts_with(large_below_)) {
      Result<std::unique_ptr<DiskFile>> large = real_->open_unlinked(*directory_);
      if (!large) return large.error();
      content->large = *std::move(large);
    }
    return content;
  }

  const std::shared_ptr<Disk> real_;
  const std::optional<std::string> directory_;
  const std::string large_below_;
  mutable Mutex mutex_;
  uint64_t next_inode_ REGFS_GUARDED_BY(mutex_) = 1;
  std::map<std::string, std::shared_ptr<Content>> files_ REGFS_GUARDED_BY(mutex_);  // by path
};

}  // namespace

std::shared_ptr<Disk> unlinked_disk(std::shared_ptr<Disk> real, std::optional<std::string> directory,
                                    std::string large_below) {
  return std::make_shared<UnlinkedDisk>(std::move(real), std::move(directory), std::move(large_below));
}

Result<std::string> directory_for_unlinked(Disk& real, const std::string& path) {
  std::filesystem::path directory(path);
  while (directory.has_relative_path()) {
    Result<FileFacts> facts = real.facts(directory.string());
    if (facts || !is_missing(facts.error())) break;
    directory = directory.parent_path();
  }
  Result<std::unique_ptr<DiskFile>> probe = real.open_unlinked(directory.string());
  bool full = !probe && probe.error().code() == std::errc::no_space_on_device;
  if (probe || full) return directory.string();
  return probe.error().while_doing("no files can be made for --no-cache beside the cache directory " + path +
                                   " (give --cache-dir a directory that you can write)");
}

}  // namespace regfs::cache
