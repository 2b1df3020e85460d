// SPDX-License-Identifier: MIT
// Many readers at once are one transfer.
#include <barrier>
#include <thread>

#include "tests/mount/mount_fixture.h"

namespace regfs::test::concurrency_test {
namespace {

using ConcurrencyTest = MountTest;

constexpr int kReaders = 64;

TEST_F(ConcurrencyTest, SixtyFourReadersOfAColdImageAskForEachByteOnce) {
  const SampleImage image =
      make_image({.layers = {seeded_layer(1, 6'000'000), seeded_layer(2, 300'000), seeded_layer(3, 2'500'000),
                             seeded_layer(4, 17), seeded_layer(5, 1'100'000)}});
  registry_.push("app", "latest", image);
  const Digest wanted = model_of(image, "app", "latest").digest();
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const std::string path = tar_of(mount, "app", "latest");

  std::vector<DigestOutcome> outcomes(kReaders);
  std::barrier start(kReaders);
  std::vector<std::thread> readers;
  for (DigestOutcome& outcome : outcomes) {
    readers.emplace_back([&start, &outcome, &path] {
      start.arrive_and_wait();
      outcome = digest_of_file(path, 128 << 10);
    });
  }
  for (std::thread& reader : readers) reader.join();

  for (const DigestOutcome& outcome : outcomes) {
    EXPECT_EQ(outcome.error, 0);
    EXPECT_EQ(outcome.digest, wanted);
  }
  for (const SampleLayer& layer : image.layers) {
    EXPECT_TRUE(asked_once(asked_of("app", layer), layer.content->size_bytes()));
  }
}

TEST_F(ConcurrencyTest, ReadersOfDifferentPlacesAskForEachByteOnce) {
  const SampleLayer layer = seeded_layer(6, 8'000'000);
  const SampleImage image = make_image({.layers = {layer}});
  registry_.push("app", "latest", image);
  const ArchiveModel model = model_of(image, "app", "latest");
  // A slot for each: where slots are short, a transfer that nobody waits for any more gives way, and is asked again.
  const MountedRegfs mount({.arguments = {"--max-concurrent-downloads", "64"}});
  REGFS_ASSERT_MOUNTED(mount);
  const std::string path = tar_of(mount, "app", "latest");

  std::vector<testing::AssertionResult> outcomes(kReaders, testing::AssertionFailure());
  std::barrier start(kReaders);
  std::vector<std::thread> readers;
  for (int reader = 0; reader < kReaders; ++reader) {
    readers.emplace_back([&, reader] {
      const uint64_t length = model.size_bytes() / kReaders + 1;
      const uint64_t offset = length * static_cast<uint64_t>(reader);
      const OpenOutcome file = open_file(path);
      start.arrive_and_wait();
      outcomes[static_cast<size_t>(reader)] =
          same_bytes(read_at(file.fd.get(), offset, length).bytes, model.read(offset, length));
    });
  }
  for (std::thread& reader : readers) reader.join();

  for (const testing::AssertionResult& outcome : outcomes) EXPECT_TRUE(outcome);
  EXPECT_TRUE(asked_once(asked_of("app", layer), layer.content->size_bytes()));
}

}  // namespace
}  // namespace regfs::test::concurrency_test
