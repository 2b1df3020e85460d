// SPDX-License-Identifier: MIT
// What reading an archive needs around it: a cache, a source of bytes, pools, time, a log; and images
// whose every byte is known.
//
//   FetchWorld world;
//   TestImage image = world.image({3 << 20, 700});
//   auto file = world.open(image);
//   auto answer = world.read(*file, 0, 4096);
//   world.source.send_all();
//   EXPECT_EQ(answer->wait(), image.bytes.substr(0, 4096));
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/timer.h"
#include "base/work_pool.h"
#include "cache/store.h"
#include "fs/fetcher.h"
#include "fs/image_file.h"
#include "tests/support/fake_clock.h"
#include "tests/support/faulty_disk.h"
#include "tests/support/memory_log.h"
#include "tests/support/scripted_source.h"
#include "tests/support/temp_dir.h"

namespace regfs::test {

struct TestImage {
  std::shared_ptr<const fs::ImageArchive> archive;
  std::vector<std::string> layers;
  std::string bytes;  // of the whole archive

  // Where that byte of a layer stands in the archive.
  uint64_t at(size_t layer, uint64_t offset) const { return archive->layout.blob_archive_offset(layer) + offset; }
};

// The answer to one read. Safe to use from any thread.
class ReadAnswer {
 public:
  void give(Result<std::string> answer);
  // Waits for it, at most 20 s. Of a failure "error: …".
  std::string wait();
  std::optional<Error> error();  // after wait()
  bool given() const;
  size_t times_given() const;

 private:
  mutable Mutex mutex_;
  CondVar changed_;
  std::optional<Result<std::string>> answer_ REGFS_GUARDED_BY(mutex_);
  size_t times_ REGFS_GUARDED_BY(mutex_) = 0;
};

struct FetchWorldOptions {
  fs::FetchLimits limits = {};
  std::chrono::milliseconds read_timeout = std::chrono::minutes(10);
  bool real_time = false;                               // for read time-outs, which a real timer measures
  std::optional<uint64_t> budget_bytes = std::nullopt;  // of the cache
};

struct FetchWorld {
  explicit FetchWorld(FetchWorldOptions options = {});
  ~FetchWorld();

  // Layers of these sizes from a seed; what the source holds as well. The same seed and size make the same layer.
  TestImage image(const std::vector<uint64_t>& layer_bytes, uint32_t seed = 1);
  std::shared_ptr<fs::ImageFetch> fetch(const TestImage& image, const std::string& name = "nginx:latest linux/amd64");
  std::shared_ptr<fs::ImageFile> open(const TestImage& image);
  std::shared_ptr<ReadAnswer> read(fs::ImageFile& file, uint64_t offset, size_t length);

  FakeClock fake_clock;
  SystemClock system_clock;
  const Clock& clock;
  TempDir directory;
  MemoryLog log;
  std::shared_ptr<FaultyDisk> disk = std::make_shared<FaultyDisk>();
  std::unique_ptr<cache::BlobStore> store;
  ScriptedSource source;
  Timer timer;
  WorkPool pool;
  WorkPool replies;
  fs::Fetcher fetcher;
  const fs::ReadServices services;
};

// Whether an answer is these bytes; says where they part, and does not print them.
testing::AssertionResult same_bytes(const std::string& answer, const std::string& expected);
// Whether no byte of a layer was asked for twice; for tests in which no request ends early.
testing::AssertionResult no_byte_asked_twice(const std::vector<AskedRange>& asked);
uint64_t bytes_asked(const std::vector<AskedRange>& asked);

}  // namespace regfs::test
