// SPDX-License-Identifier: MIT
#include "cache/records.h"

#include <charconv>
#include <limits>

namespace regfs::cache {
namespace {

constexpr std::string_view kSealTitle = "regfs seal 1";
constexpr std::string_view kPartTitle = "regfs part 1";
constexpr std::string_view kEnd = "end";

// Takes a text apart from its front; once something does not fit, nothing more does.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool word(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  template <typename Number>
  bool number(Number& out) {
    auto [end, failed] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), out);
    if (failed != std::errc()) return false;
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return true;
  }
  bool up_to_line_end(std::string& out) {
    size_t end = rest_.find('\n');
    if (end == std::string_view::npos) return false;
    out = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return true;
  }
  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

bool read_ranges(Scanner& in, PartRecord& record) {
  while (in.word("range ")) {
    ByteRange range;
    if (!in.number(range.offset) || !in.word(" ") || !in.number(range.length) || !in.word("\n")) return false;
    if (range.length == 0 || range.offset > record.size_bytes) return false;
    if (range.length > record.size_bytes - range.offset) return false;
    record.present.add(range);
  }
  return true;
}

}  // namespace

std::string to_text(const Seal& seal) {
  return std::string(kSealTitle) + "\nsize " + std::to_string(seal.size_bytes) + "\nctime " +
         std::to_string(seal.ctime_seconds) + " " + std::to_string(seal.ctime_nanoseconds) + "\n" + std::string(kEnd) +
         "\n";
}

std::optional<Seal> parse_seal(std::string_view text) {
  Scanner in(text);
  Seal seal;
  bool good = in.word(kSealTitle) && in.word("\nsize ") && in.number(seal.size_bytes) && in.word("\nctime ") &&
              in.number(seal.ctime_seconds) && in.word(" ") && in.number(seal.ctime_nanoseconds) && in.word("\n") &&
              in.word(kEnd) && in.word("\n") && in.done();
  if (!good) return std::nullopt;
  return seal;
}

std::string to_text(const PartRecord& record) {
  std::string text = std::string(kPartTitle) + "\nsize " + std::to_string(record.size_bytes) + "\nboot " +
                     record.boot_id + "\nsynced " + (record.synced ? "yes" : "no") + "\n";
  for (const ByteRange& range : record.present.ranges()) {
    text += "range " + std::to_string(range.offset) + " " + std::to_string(range.length) + "\n";
  }
  return text + std::string(kEnd) + "\n";
}

std::optional<PartRecord> parse_part_record(std::string_view text) {
  Scanner in(text);
  PartRecord record;
  std::string synced;
  bool good = in.word(kPartTitle) && in.word("\nsize ") && in.number(record.size_bytes) && in.word("\nboot ") &&
              in.up_to_line_end(record.boot_id) && in.word("\nsynced ") && in.up_to_line_end(synced) && in.word("\n");
  if (!good || (synced != "yes" && synced != "no")) return std::nullopt;
  record.synced = synced == "yes";
  if (!read_ranges(in, record) || !in.word(kEnd) || !in.word("\n") || !in.done()) return std::nullopt;
  return record;
}

}  // namespace regfs::cache
