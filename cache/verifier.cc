// SPDX-License-Identifier: MIT
#include "cache/verifier.h"

#include <algorithm>
#include <vector>

namespace regfs::cache {
namespace {

constexpr uint64_t kReadBytes = 256ull << 10;  // stays in the second-level cache between read and hash

}  // namespace

void Verifier::follow(std::shared_ptr<Subject> subject) {
  pool_.submit([this, subject = std::move(subject)]() mutable {
    if (subject->verify_step()) follow(std::move(subject));
  });
}

Result<void> hash_range(const DiskFile& file, uint64_t begin, uint64_t end, Sha256& hash) {
  std::vector<std::byte> buffer(std::min(kReadBytes, end - begin));
  while (begin < end) {
    std::span<std::byte> piece(buffer.data(), std::min<uint64_t>(buffer.size(), end - begin));
    Result<void> read = read_exactly(file, begin, piece);
    if (!read) return read;
    hash.update(piece);
    begin += piece.size();
  }
  return {};
}

Result<Digest> digest_of(const DiskFile& file, uint64_t begin, uint64_t end,
                         const std::function<void(uint64_t bytes)>& hashed) {
  Sha256 sum;
  while (begin < end) {
    const uint64_t until = std::min(end, begin + Verifier::kStepBytes);
    Result<void> done = hash_range(file, begin, until, sum);
    if (!done) return done.error();
    hashed(until - begin);
    begin = until;
  }
  return sum.finish();
}

}  // namespace regfs::cache
