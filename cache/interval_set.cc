// SPDX-License-Identifier: MIT
#include "cache/interval_set.h"

#include <algorithm>
#include <iterator>

namespace regfs::cache {

void IntervalSet::add(ByteRange range) {
  if (range.length == 0) return;
  uint64_t begin = range.offset;
  uint64_t end = range.end();
  auto it = ends_.upper_bound(begin);
  if (it != ends_.begin() && std::prev(it)->second >= begin) --it;
  while (it != ends_.end() && it->first <= end) {
    begin = std::min(begin, it->first);
    end = std::max(end, it->second);
    total_ -= it->second - it->first;
    it = ends_.erase(it);
  }
  ends_.emplace_hint(it, begin, end);
  total_ += end - begin;
}

void IntervalSet::remove(ByteRange range) {
  if (range.length == 0) return;
  auto it = ends_.upper_bound(range.offset);
  if (it != ends_.begin() && std::prev(it)->second > range.offset) --it;
  while (it != ends_.end() && it->first < range.end()) {
    auto [begin, end] = *it;
    it = ends_.erase(it);
    total_ -= end - begin;
    if (begin < range.offset) {
      ends_.emplace(begin, range.offset);
      total_ += range.offset - begin;
    }
    if (end > range.end()) {
      ends_.emplace(range.end(), end);
      total_ += end - range.end();
    }
  }
}

bool IntervalSet::contains(ByteRange range) const {
  return range.length == 0 || covered_until(range.offset) >= range.end();
}

uint64_t IntervalSet::covered_until(uint64_t position) const {
  auto it = ends_.upper_bound(position);
  if (it == ends_.begin()) return position;
  return std::max(position, std::prev(it)->second);
}

uint64_t IntervalSet::next_start(uint64_t position, uint64_t limit) const {
  if (covered_until(position) > position) return std::min(position, limit);
  auto it = ends_.lower_bound(position);
  return it == ends_.end() ? limit : std::min(it->first, limit);
}

std::optional<ByteRange> IntervalSet::first_gap(ByteRange within) const {
  uint64_t begin = covered_until(within.offset);
  if (begin >= within.end()) return std::nullopt;
  return ByteRange{begin, next_start(begin, within.end()) - begin};
}

std::vector<ByteRange> IntervalSet::gaps(ByteRange within) const {
  std::vector<ByteRange> found;
  while (std::optional<ByteRange> gap = first_gap(within)) {
    found.push_back(*gap);
    within = {gap->end(), within.end() - gap->end()};
  }
  return found;
}

std::vector<ByteRange> IntervalSet::ranges() const {
  std::vector<ByteRange> all;
  all.reserve(ends_.size());
  for (auto [begin, end] : ends_) all.push_back({begin, end - begin});
  return all;
}

std::optional<ByteRange> first_gap_of_both(const IntervalSet& one, const IntervalSet& other, ByteRange within) {
  uint64_t begin = within.offset;
  for (uint64_t next = begin;; begin = next) {
    next = other.covered_until(one.covered_until(begin));
    if (next == begin) break;
  }
  if (begin >= within.end()) return std::nullopt;
  uint64_t end = other.next_start(begin, one.next_start(begin, within.end()));
  return ByteRange{begin, end - begin};
}

}  // namespace regfs::cache
