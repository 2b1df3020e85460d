// SPDX-License-Identifier: MIT
// The two small text files that accompany a blob: its seal once published, its ranges while a part.
// Pure; the grammar stands in cache/README.md. What does not parse to the letter is no record.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cache/disk.h"
#include "cache/interval_set.h"

namespace regfs::cache {

// What a published file looked like when its bytes were last known to be right.
struct Seal {
  uint64_t size_bytes = 0;
  int64_t ctime_seconds = 0;
  int64_t ctime_nanoseconds = 0;

  static Seal of(const FileFacts& facts) { return {facts.size_bytes, facts.ctime_seconds, facts.ctime_nanoseconds}; }
  friend bool operator==(const Seal&, const Seal&) = default;
};
std::string to_text(const Seal& seal);
std::optional<Seal> parse_seal(std::string_view text);

// Which bytes of a part file have come. A byte once present is never rewritten, so a record of
// earlier is still true; only what the disk may have lost makes it a lie.
struct PartRecord {
  uint64_t size_bytes = 0;  // of the blob
  std::string boot_id;      // of the machine that wrote it
  bool synced = false;      // the bytes were on the disk before this was written
  IntervalSet present;

  // Synced bytes survive anything; others only while the same machine has not restarted.
  bool trusted(std::string_view boot_now) const { return synced || (!boot_id.empty() && boot_id == boot_now); }
};
std::string to_text(const PartRecord& record);
std::optional<PartRecord> parse_part_record(std::string_view text);

// Longest record believed: 200,000 separate ranges; a transfer leaves a few dozen.
inline constexpr uint64_t kMaxRecordBytes = 8ull << 20;

}  // namespace regfs::cache
