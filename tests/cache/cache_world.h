// SPDX-License-Identifier: MIT
// What the tests of a store need around them: a directory, a disk that breaks on demand, time, a log.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <string>

#include "base/sha256.h"
#include "cache/layout.h"
#include "cache/store_impl.h"
#include "tests/support/fake_clock.h"
#include "tests/support/faulty_disk.h"
#include "tests/support/memory_log.h"
#include "tests/support/temp_dir.h"

namespace regfs::test {

inline std::string random_bytes(uint32_t seed, size_t size) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
    uint64_t word = random();
    std::memcpy(bytes.data() + at, &word, std::min(sizeof word, size - at));
  }
  return bytes;
}

// Counts calls, and waits for them.
class Bell {
 public:
  void ring() {
    MutexLock lock(mutex_);
    ++rung_;
    changed_.notify_all();
  }
  int rung() const {
    MutexLock lock(mutex_);
    return rung_;
  }
  bool wait(int times = 1) {
    auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    MutexLock lock(mutex_);
    while (rung_ < times) {
      if (!changed_.wait_until(lock, deadline)) return rung_ >= times;
    }
    return true;
  }

 private:
  mutable Mutex mutex_;
  CondVar changed_;
  int rung_ REGFS_GUARDED_BY(mutex_) = 0;
};

struct CacheWorld {
  TempDir scratch;
  const std::string directory = scratch / "cache";
  const cache::Layout layout{directory};
  FakeClock clock;
  MemoryLog log{clock};
  std::shared_ptr<FaultyDisk> disk = std::make_shared<FaultyDisk>();
  std::unique_ptr<cache::BlobStore> store = open();

  std::unique_ptr<cache::BlobStore> open() {
    Result<std::unique_ptr<cache::BlobStore>> opened = cache::open_store(directory, clock, log.log(), disk);
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().context());
    return opened ? std::move(*opened) : nullptr;
  }
  // As another process does later, on a healthy disk.
  void reopen() {
    store.reset();
    disk = std::make_shared<FaultyDisk>();
    store = open();
  }
  std::shared_ptr<cache::Blob> blob(const std::string& bytes) const { return blob(sha256_of(bytes), bytes.size()); }
  std::shared_ptr<cache::Blob> blob(const Digest& digest, uint64_t size) const {
    Result<std::shared_ptr<cache::Blob>> got = store->blob(digest, size);
    EXPECT_TRUE(got) << (got ? "" : got.error().context());
    return got ? *got : nullptr;
  }
  // Its seal is the last that is written of a publication.
  bool wait_sealed(const std::string& bytes, size_t times = 1) const {
    return disk->wait_renamed_to(layout.seal(sha256_of(bytes)), times);
  }
};

inline std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

// Brings [begin, end) of `bytes` as a transfer does, in pieces. The first error, if any.
inline Result<void> bring(cache::Blob& blob, const std::string& bytes, uint64_t begin, uint64_t end,
                          uint64_t piece = 16384) {
  while (std::optional<cache::Claim> claim = blob.claim(begin, end - begin)) {
    cache::ByteRange range = claim->range();
    for (uint64_t at = range.offset; at < range.end(); at += piece) {
      uint64_t length = std::min(piece, range.end() - at);
      Result<void> written = claim->write(at, bytes_of(bytes).subspan(at, length));
      if (!written) return written;
    }
  }
  return {};
}
inline Result<void> bring(cache::Blob& blob, const std::string& bytes) {
  return bring(blob, bytes, 0, bytes.size());
}

// Waits until all of it can be read or cannot.
inline cache::Blob::Readable wait_readable(cache::Blob& blob) {
  auto bell = std::make_shared<Bell>();
  blob.when_readable(0, blob.size_bytes(), [bell] { bell->ring(); });
  EXPECT_TRUE(bell->wait());
  return blob.readable(0, blob.size_bytes());
}

// Waits until an old cached file, if there is one, has proved wrong and its bytes may be brought again.
inline bool wait_claimable(cache::Blob& blob) {
  auto bell = std::make_shared<Bell>();
  blob.when_readable(0, 1, [bell] { bell->ring(); });
  return blob.claim(0, 1) || (bell->wait() && blob.claim(0, 1));
}

inline std::string read(const cache::Blob& blob, uint64_t offset, uint64_t length) {
  std::string bytes(length, '\0');
  Result<void> done = blob.read(offset, std::as_writable_bytes(std::span(bytes)));
  return done ? bytes : "error: " + done.error().context();
}
inline std::string read(const cache::Blob& blob) {
  return read(blob, 0, blob.size_bytes());
}

inline std::string file_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}
inline void put_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}
inline size_t files_in(const std::string& directory) {
  auto all = std::filesystem::directory_iterator(directory);
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

// Brings all of it, waits until it stands in the cache for good, and starts the store anew: it knows
// what is on the disk and nothing else.
inline void publish(CacheWorld& world, const std::string& bytes) {
  {
    std::shared_ptr<cache::Blob> blob = world.blob(bytes);
    ASSERT_TRUE(bring(*blob, bytes));
    ASSERT_EQ(wait_readable(*blob), cache::Blob::Readable::yes);
    ASSERT_TRUE(world.wait_sealed(bytes));
  }
  world.store.reset();
  world.store = world.open();
}

}  // namespace regfs::test
