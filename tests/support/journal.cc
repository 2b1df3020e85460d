// SPDX-License-Identifier: MIT
#include "tests/support/journal.h"

#include <algorithm>
#include <utility>

namespace regfs::test {

std::vector<ByteSpan> merged(std::vector<ByteSpan> spans) {
  std::sort(spans.begin(), spans.end());
  std::vector<ByteSpan> out;
  for (const ByteSpan& span : spans) {
    if (span.length() == 0) continue;
    if (!out.empty() && span.begin <= out.back().end) {
      out.back().end = std::max(out.back().end, span.end);
    } else {
      out.push_back(span);
    }
  }
  return out;
}

uint64_t total_length(const std::vector<ByteSpan>& spans) {
  uint64_t sum = 0;
  for (const ByteSpan& span : spans) sum += span.length();
  return sum;
}

testing::AssertionResult asked_once(const std::vector<ByteSpan>& spans, uint64_t size_bytes) {
  const bool all = merged(spans) == std::vector<ByteSpan>{{0, size_bytes}};
  if (all && total_length(spans) == size_bytes) return testing::AssertionSuccess();
  testing::AssertionResult failure = testing::AssertionFailure();
  failure << "of " << size_bytes << " bytes these were asked for:";
  for (const ByteSpan& span : spans) failure << " " << span.begin << "-" << span.end;
  return failure;
}

Journal::EntryId Journal::begin(JournalEntry entry) {
  MutexLock lock(mutex_);
  entries_.push_back(std::move(entry));
  return forgotten_ + entries_.size() - 1;
}

void Journal::answered(EntryId id, int status, ByteSpan body) {
  MutexLock lock(mutex_);
  if (id < forgotten_) return;
  entries_[id - forgotten_].status = status;
  entries_[id - forgotten_].body = body;
}

void Journal::sent(EntryId id, uint64_t bytes) {
  MutexLock lock(mutex_);
  if (id >= forgotten_) entries_[id - forgotten_].sent_bytes += bytes;
}

void Journal::forget() {
  MutexLock lock(mutex_);
  forgotten_ += entries_.size();
  entries_.clear();
}

std::vector<JournalEntry> Journal::entries() const {
  MutexLock lock(mutex_);
  return entries_;
}

size_t Journal::count(std::string_view method, std::string_view text_in_path) const {
  MutexLock lock(mutex_);
  return static_cast<size_t>(std::count_if(entries_.begin(), entries_.end(), [&](const JournalEntry& entry) {
    return (method.empty() || entry.method == method) && entry.path.find(text_in_path) != std::string::npos;
  }));
}

std::vector<ByteSpan> Journal::spans_of(std::string_view path) const {
  MutexLock lock(mutex_);
  std::vector<ByteSpan> spans;
  for (const JournalEntry& entry : entries_) {
    if (entry.method == "GET" && entry.path == path && (entry.status == 200 || entry.status == 206)) {
      spans.push_back(entry.body);
    }
  }
  return spans;
}

}  // namespace regfs::test
