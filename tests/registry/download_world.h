// SPDX-License-Identifier: MIT
// A client between a scripted transport and sinks that remember: what the tests of downloads share.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/sha256.h"
#include "registry/client.h"
#include "tests/support/fake_transport.h"
#include "tests/support/memory_log.h"

namespace regfs::registry {

// Keeps what comes, and fails the test when the contract of BodySink is broken.
class MemorySink : public BodySink {
 public:
  explicit MemorySink(uint64_t offset = 0) : next_(offset) {}

  Result<void> write(uint64_t offset, std::span<const std::byte> bytes) override {
    if (before_write) before_write();
    MutexLock lock(mutex_);
    EXPECT_FALSE(outcome_) << "a write() after finished()";
    EXPECT_EQ(offset, next_);
    EXPECT_FALSE(bytes.empty());
    if (disk_error) return *disk_error;
    next_ += bytes.size();
    bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  void began(bool sends_all) override {
    MutexLock lock(mutex_);
    EXPECT_FALSE(outcome_) << "began() after finished()";
    begun_.push_back(sends_all);
  }
  bool spare(uint64_t offset, std::span<const std::byte> bytes) override {
    MutexLock lock(mutex_);
    EXPECT_FALSE(outcome_) << "a spare() after finished()";
    spare_.emplace_back(offset, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    return wants_spare;
  }
  void interrupted() override {
    MutexLock lock(mutex_);
    EXPECT_FALSE(outcome_) << "interrupted() after finished()";
    ++interruptions_;
  }
  void finished(Result<void> outcome) override {
    MutexLock lock(mutex_);
    EXPECT_FALSE(outcome_) << "finished() twice";
    outcome_ = std::move(outcome);
    changed_.notify_all();
  }

  Result<void> wait() {
    MutexLock lock(mutex_);
    while (!outcome_) changed_.wait(lock);
    return *outcome_;
  }
  std::string bytes() const {
    MutexLock lock(mutex_);
    return bytes_;
  }

  std::vector<bool> begun() const {
    MutexLock lock(mutex_);
    return begun_;
  }
  std::vector<std::pair<uint64_t, std::string>> spare_bytes() const {
    MutexLock lock(mutex_);
    return spare_;
  }
  size_t interruptions() const {
    MutexLock lock(mutex_);
    return interruptions_;
  }

  bool wants_spare = true;
  std::optional<Error> disk_error;
  std::function<void()> before_write;

 private:
  mutable Mutex mutex_;
  CondVar changed_;
  uint64_t next_ REGFS_GUARDED_BY(mutex_);
  std::string bytes_ REGFS_GUARDED_BY(mutex_);
  std::vector<bool> begun_ REGFS_GUARDED_BY(mutex_);
  std::vector<std::pair<uint64_t, std::string>> spare_ REGFS_GUARDED_BY(mutex_);
  size_t interruptions_ REGFS_GUARDED_BY(mutex_) = 0;
  std::optional<Result<void>> outcome_ REGFS_GUARDED_BY(mutex_);
};

// Has had enough at its first bytes.
class CancellingSink : public BodySink {
 public:
  explicit CancellingSink(std::function<void()> cancel) : cancel_(std::move(cancel)) {}

  Result<void> write(uint64_t, std::span<const std::byte>) override {
    ++writes_;
    cancel_();
    return {};
  }
  void finished(Result<void> outcome) override {
    MutexLock lock(mutex_);
    outcome_ = std::move(outcome);
    changed_.notify_all();
  }
  Result<void> wait() {
    MutexLock lock(mutex_);
    while (!outcome_) changed_.wait(lock);
    return *outcome_;
  }
  int writes() const { return writes_; }

 private:
  const std::function<void()> cancel_;
  std::atomic<int> writes_ = 0;
  Mutex mutex_;
  CondVar changed_;
  std::optional<Result<void>> outcome_ REGFS_GUARDED_BY(mutex_);
};

inline std::string pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 26) % 26);
  return text;
}

class DownloadTest : public ::testing::Test {
 protected:
  static ClientOptions fast() {
    ClientOptions options;
    options.backoff_first = options.backoff_longest = std::chrono::milliseconds(1);
    return options;
  }
  BlobRange range(uint64_t offset, uint64_t length) const {
    return {{"reg.example", "acme/api"}, digest_, blob_.size(), offset, length, {}};
  }
  BlobRange whole() const { return range(0, blob_.size()); }
  Result<void> bring(const BlobRange& wanted) {
    client_.download(wanted, sink_);
    return sink_->wait();
  }
  test::ScriptedAnswer full() const { return {.body = blob_}; }
  // A right answer to a Range of that piece.
  test::ScriptedAnswer partial(uint64_t first, uint64_t end) const {
    return {.status = 206,
            .headers = {{"Content-Range", "bytes " + std::to_string(first) + "-" + std::to_string(end - 1) + "/" +
                                              std::to_string(blob_.size())}},
            .body = blob_.substr(first, end - first)};
  }
  test::ScriptedAnswer broken_after(uint64_t bytes) const {
    return {.body = blob_.substr(0, bytes), .failure = TransportFailure::broken};
  }
  static test::ScriptedAnswer redirect(const std::string& location) {
    return {.status = 307, .headers = {{"Location", location}}};
  }
  std::vector<std::string> ranges_asked() const {
    std::vector<std::string> ranges;
    for (const HttpRequest& request : transport_.requests()) {
      ranges.push_back(request.headers.first("Range").value_or(""));
    }
    return ranges;
  }
  using Strings = std::vector<std::string>;

  const std::string blob_ = pattern(10'000);
  const Digest digest_ = sha256_of(blob_);
  const std::string url_ = "https://reg.example/v2/acme/api/blobs/" + digest_.str();
  const std::string token_url_ = "https://auth.example/token?scope=s";
  const std::pair<std::string, std::string> challenge_ = {"WWW-Authenticate",
                                                          R"(Bearer realm="https://auth.example/token",scope="s")"};
  const std::shared_ptr<MemorySink> sink_ = std::make_shared<MemorySink>();
  SystemClock clock_;
  test::MemoryLog log_{clock_};
  test::FakeTransport transport_;
  WorkPool pool_{"work", 2, 2, log_.log()};
  Timer timer_;
  Client client_{transport_, pool_, timer_, clock_, log_.log(), fast()};
};

}  // namespace regfs::registry
