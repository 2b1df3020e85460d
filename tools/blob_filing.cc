// SPDX-License-Identifier: MIT
#include "tools/blob_filing.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace regfs {
namespace {

constexpr uint64_t kPieceBytes = 1ull << 20;
// What another process has claimed becomes free without a word when it ends.
constexpr std::chrono::seconds kLookAgain{1};

// Set once by a waiter of the blob.
class Flag {
 public:
  void set() {
    MutexLock lock(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  void wait(std::chrono::milliseconds at_most) {
    const auto deadline = std::chrono::steady_clock::now() + at_most;
    MutexLock lock(mutex_);
    while (!set_) {
      if (!changed_.wait_until(lock, deadline)) return;
    }
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool set_ REGFS_GUARDED_BY(mutex_) = false;
};

Result<void> bring(cache::Claim claim, const ImportFile& file, std::vector<std::byte>& piece,
                   const std::function<void(uint64_t)>& brought) {
  const cache::ByteRange range = claim.range();
  for (uint64_t at = range.offset; at < range.end();) {
    const auto bytes = std::span(piece).first(static_cast<size_t>(std::min<uint64_t>(piece.size(), range.end() - at)));
    Result<void> done = file.read(at, bytes);
    if (done) done = claim.write(at, bytes);
    if (!done) return done;
    brought(bytes.size());
    at += bytes.size();
  }
  return {};
}

void wait_for_a_change(cache::Blob& blob) {
  auto flag = std::make_shared<Flag>();
  const cache::Blob::WaitId id = blob.when_readable(0, blob.size_bytes(), [flag] { flag->set(); });
  flag->wait(kLookAgain);
  if (id != 0) blob.cancel(id);
}

}  // namespace

Result<FiledBlob> file_blob(cache::BlobStore& store, const Digest& digest, const ImportFile& file,
                            const std::function<void(uint64_t bytes)>& brought) {
  Result<std::shared_ptr<cache::Blob>> opened = store.blob(digest, file.size_bytes);
  if (!opened) return opened.error();
  cache::Blob& blob = **opened;
  const bool was_there = blob.complete();
  std::vector<std::byte> piece(kPieceBytes);
  uint64_t present = blob.present_bytes();
  auto changed_at = std::chrono::steady_clock::now();
  while (!blob.complete()) {
    if (std::optional<Error> failure = blob.failure()) return *failure;
    if (std::optional<cache::Claim> claim = blob.claim(0, file.size_bytes)) {
      Result<void> done = bring(*std::move(claim), file, piece, brought);
      if (!done) return done.error();
    } else {
      wait_for_a_change(blob);
    }
    const auto now = std::chrono::steady_clock::now();
    if (std::exchange(present, blob.present_bytes()) != present) changed_at = now;
    if (now - changed_at > kFilingPatience) {
      return Error(Errc::timed_out, digest.str() + " is being brought by another process, and does not come");
    }
  }
  return FiledBlob{*std::move(opened), was_there};
}

}  // namespace regfs
