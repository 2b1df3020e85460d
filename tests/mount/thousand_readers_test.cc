// SPDX-License-Identifier: MIT
// The engine holds: a thousand readers of one cold image are one transfer, and leave nothing behind.
#include <barrier>
#include <thread>

#include "tests/mount/mount_fixture.h"
#include "tests/support/process_facts.h"

namespace regfs::test::thousand_readers_test {
namespace {

constexpr int kReaders = 1000;
constexpr std::chrono::seconds kSoon{20};

using ThousandReaders = MountTest;

TEST_F(ThousandReaders, F6_OfAColdImageAskForEachByteOnceAndLeaveNothingBehind) {
  const SampleImage image =
      make_image({.layers = {seeded_layer(1, 1'500'000), seeded_layer(2, 30'000), seeded_layer(3, 17)}});
  const SampleImage first = make_image({.layers = {seeded_layer(4, 5'000'000)}});
  registry_.push("app", "latest", image);
  registry_.push("app", "first", first);
  const std::string wanted = model_of(image, "app", "latest").bytes();
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const pid_t pid = mount.process().pid();
  // Makes what is kept: connections, threads.
  ASSERT_EQ(read_file(tar_of(mount, "app", "first")).error, 0);
  const std::string published = published_path(mount.cache_directory(), first.layers[0].digest);
  ASSERT_TRUE(eventually(kSoon, [&] { return exists(published); }));
  const auto files = [pid] {
    size_t count = 0;
    for (const Descriptor& each : descriptors_of(pid)) count += each.is_socket() ? 0 : 1;
    return count;
  };
  const auto sockets = [pid, files] { return descriptors_of(pid).size() - files(); };
  const size_t files_before = files();
  const size_t threads_before = threads_of(pid);
  ASSERT_GT(files_before, 3u);
  ASSERT_GT(threads_before, 3u);

  {
    const std::string path = tar_of(mount, "app", "latest");
    std::vector<ReadOutcome> failed(kReaders);
    std::vector<char> right(kReaders, 0);
    std::barrier start(kReaders);
    std::vector<std::thread> readers;
    for (size_t reader = 0; reader < kReaders; ++reader) {
      readers.emplace_back([&, reader] {
        start.arrive_and_wait();
        const OpenOutcome file = open_file(path);
        if (file.error != 0) {
          failed[reader].error = file.error;
          return;
        }
        uint64_t at = 0;
        bool same = true;
        while (same && at < wanted.size()) {
          ReadOutcome piece = read_at(file.fd.get(), at, 64 << 10);
          same = !piece.bytes.empty() && wanted.compare(at, piece.bytes.size(), piece.bytes) == 0;
          at += piece.bytes.size();
          if (piece.error != 0) failed[reader].error = piece.error;
        }
        right[reader] = same && at == wanted.size();
      });
    }
    for (std::thread& reader : readers) reader.join();
    for (size_t reader = 0; reader < kReaders; ++reader) {
      ASSERT_TRUE(right[reader]) << "reader " << reader << ", errno " << failed[reader].error << "\n" << mount.log();
    }
  }
  for (const SampleLayer& layer : image.layers) {
    EXPECT_TRUE(asked_once(asked_of("app", layer), layer.content->size_bytes()));
  }

  constexpr size_t kIdleConnections = 64;
  EXPECT_TRUE(eventually(kSoon, [&] { return files() <= files_before; })) << files() << " instead of " << files_before;
  EXPECT_LE(sockets(), kIdleConnections);
  EXPECT_TRUE(eventually(kSoon, [&] { return threads_of(pid) <= threads_before; }))
      << threads_of(pid) << " instead of " << threads_before;
}

}  // namespace
}  // namespace regfs::test::thousand_readers_test
