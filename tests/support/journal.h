// SPDX-License-Identifier: MIT
// What a fake registry was asked, in order, and what it sent: tests assert on behaviour towards the
// world. Safe to use from any thread.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"

namespace regfs::test {

// [begin, end) of a blob.
struct ByteSpan {
  uint64_t begin = 0;
  uint64_t end = 0;
  uint64_t length() const { return end - begin; }
  friend auto operator<=>(const ByteSpan&, const ByteSpan&) = default;
};

// Sorted, with those that touch or overlap made one.
std::vector<ByteSpan> merged(std::vector<ByteSpan> spans);
uint64_t total_length(const std::vector<ByteSpan>& spans);
// Each byte of `size_bytes` was asked for once; if not, the spans in the order they were asked for.
testing::AssertionResult asked_once(const std::vector<ByteSpan>& spans, uint64_t size_bytes);

struct JournalEntry {
  std::string method;
  std::string path;
  std::string query;
  std::optional<std::string> range;  // the header, as sent
  bool authorized = false;           // whether there was an Authorization header
  std::string authorization = {};    // its value
  bool cookie = false;               // whether there was a Cookie
  std::string form = {};             // the body of a POST
  int status = 0;                    // 0 until answered
  ByteSpan body = {};                // of the entity, that the answer set out to send
  uint64_t sent_bytes = 0;           // of the body so far
};

class Journal {
 public:
  using EntryId = size_t;
  EntryId begin(JournalEntry entry);
  void answered(EntryId id, int status, ByteSpan body);
  void sent(EntryId id, uint64_t bytes);
  void forget();  // what was asked so far; ids of requests under way turn void

  std::vector<JournalEntry> entries() const;
  // Requests of that method (empty: any) whose path holds the text.
  size_t count(std::string_view method, std::string_view text_in_path) const;
  // The byte spans that GETs of that path were answered with, in order of arrival.
  std::vector<ByteSpan> spans_of(std::string_view path) const;

 private:
  mutable Mutex mutex_;
  std::vector<JournalEntry> entries_ REGFS_GUARDED_BY(mutex_);
  size_t forgotten_ REGFS_GUARDED_BY(mutex_) = 0;
};

}  // namespace regfs::test
