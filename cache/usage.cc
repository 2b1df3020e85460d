// SPDX-License-Identifier: MIT
#include "cache/usage.h"

#include <charconv>
#include <chrono>
#include <thread>
#include <utility>

namespace regfs::cache {
namespace {

constexpr std::string_view kUsageTitle = "regfs usage 1\n";
constexpr uint64_t kMaxUsageBytes = 256;
// Locked in the marker by who changes the file.
constexpr ByteRange kUsageLock{(1ull << 62) + 2, 1};
// Whoever has it has it for some ten microseconds.
constexpr int kLockAttempts = 50;
constexpr std::chrono::milliseconds kLockPause{1};

bool lock_usage(DiskFile& marker) {
  for (int attempt = 0; attempt < kLockAttempts; ++attempt) {
    Result<bool> locked = marker.try_lock_range(kUsageLock, DiskFile::RangeLock::exclusive);
    if (!locked || *locked) return true;  // a filesystem without locks is one where nothing is shared
    std::this_thread::sleep_for(kLockPause);
  }
  return false;
}

// "NAME NUMBER\n"
bool take_line(std::string_view& rest, std::string_view name, uint64_t& out) {
  if (!rest.starts_with(name) || rest.size() <= name.size() || rest[name.size()] != ' ') return false;
  rest.remove_prefix(name.size() + 1);
  const auto [end, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), out);
  if (failed != std::errc()) return false;
  rest.remove_prefix(static_cast<size_t>(end - rest.data()));
  if (!rest.starts_with('\n')) return false;
  rest.remove_prefix(1);
  return true;
}

}  // namespace

Usage operator+(const Usage& one, const Usage& other) {
  return {one.hits + other.hits, one.misses + other.misses, one.saved_bytes + other.saved_bytes};
}

std::string to_text(const Usage& usage) {
  return std::string(kUsageTitle) + "hits " + std::to_string(usage.hits) + "\nmisses " + std::to_string(usage.misses) +
         "\nsaved " + std::to_string(usage.saved_bytes) + "\nend\n";
}

std::optional<Usage> parse_usage(std::string_view text) {
  if (!text.starts_with(kUsageTitle)) return std::nullopt;
  text.remove_prefix(kUsageTitle.size());
  Usage usage;
  const bool whole = take_line(text, "hits", usage.hits) && take_line(text, "misses", usage.misses) &&
                     take_line(text, "saved", usage.saved_bytes) && text == "end\n";
  if (!whole) return std::nullopt;
  return usage;
}

Usage stored_usage(const SmallFiles& small_files, const Layout& layout) {
  Result<std::optional<std::string>> text = small_files.read(layout.usage(), kMaxUsageBytes);
  if (!text || !*text) return {};
  return parse_usage(**text).value_or(Usage());
}

bool UsageCounter::count(const Usage& usage) {
  MutexLock lock(mutex_);
  waiting_ = waiting_ + usage;
  return !waiting_.empty() && !std::exchange(due_, true);
}

void UsageCounter::store() {
  Usage more;
  {
    MutexLock lock(mutex_);
    more = std::exchange(waiting_, Usage());
    due_ = false;
  }
  if (more.empty()) return;
  Result<std::unique_ptr<DiskFile>> marker = disk_->open(layout_.marker(), OpenFor::writing);
  if (marker && lock_usage(**marker)) {
    const std::string text = to_text(stored_usage(*small_files_, layout_) + more);
    Result<FileFacts> written = small_files_->write(layout_.usage(), text, SmallFiles::Durability::renamed);
    if (!written && disk_->remove(layout_.usage())) {  // a directory, say
      written = small_files_->write(layout_.usage(), text, SmallFiles::Durability::renamed);
    }
    if (written) return;
  }
  MutexLock lock(mutex_);
  waiting_ = waiting_ + more;
}

}  // namespace regfs::cache
