// SPDX-License-Identifier: MIT
// A layer that is not what its digest says: nobody reads through it, nothing of it stays, and a mended
// registry is enough.
#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/mount/mount_fixture.h"

namespace regfs::test::corruption_test {
namespace {

constexpr uint64_t kMiB = 1 << 20;
// The last 128 KiB of a layer are reachable unverified, so that its tail can be listed past; the 64 KiB
// before them are not.
constexpr uint64_t kWithheldBeforeEnd = 128 << 10;
constexpr uint64_t kWithheldBytes = 64 << 10;
constexpr uint64_t kPageBytes = 4096;

class CorruptionTest : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (!IsSkipped()) registry_.push("app", "latest", image_);
  }

  uint64_t window_of(const SampleLayer& layer) const {
    const uint64_t end = model_.member(layer).end();
    return layer.content->size_bytes() <= kMiB ? model_.member(layer).offset
                                               : end - kWithheldBeforeEnd - kWithheldBytes;
  }
  void expect_no_reader_past(const ReadOutcome& got, const SampleLayer& layer) const {
    EXPECT_EQ(got.error, EIO);
    EXPECT_LE(got.bytes.size(), window_of(layer) + kWithheldBytes);
  }

  const SampleLayer large_ = seeded_layer(1, 4 * kMiB);
  const SampleLayer small_ = seeded_layer(2, 200'000);
  const SampleImage image_ = make_image({.layers = {large_, small_}});
  const ArchiveModel model_ = model_of(image_, "app", "latest");
};

TEST_F(CorruptionTest, NoReaderPassesThroughAWrongLayer) {
  const std::string large_path = FakeRegistry::blob_path("app", large_.digest);
  for (const uint64_t position : {uint64_t{0}, 2 * kMiB, 4 * kMiB - 1}) {
    registry_.break_path(large_path, flips_byte_at(position));
    const MountedRegfs mount;
    REGFS_ASSERT_MOUNTED(mount);
    const std::string path = tar_of(mount, "app", "latest");
    std::vector<ReadOutcome> outcomes(8);
    std::vector<std::thread> readers;
    for (ReadOutcome& outcome : outcomes) {
      readers.emplace_back([&outcome, &path] { outcome = read_file(path, 32 << 10); });
    }
    for (std::thread& reader : readers) reader.join();
    for (const ReadOutcome& outcome : outcomes) expect_no_reader_past(outcome, large_);
    EXPECT_FALSE(exists(published_path(mount.cache_directory(), large_.digest)));
    EXPECT_TRUE(contains(mount.log(), large_.digest.str()));
    EXPECT_TRUE(contains(mount.log(), registry_.host() + "/app:latest"));
  }
}

TEST_F(CorruptionTest, TheWindowIsWithheldUntilTheDigestMatchesAndNothingElseIs) {
  constexpr std::chrono::seconds kSoon{20};
  const std::string large_path = FakeRegistry::blob_path("app", large_.digest);
  registry_.break_path(large_path, stalls_at(4 * kMiB - 1000));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const std::string path = tar_of(mount, "app", "latest");
  const OpenOutcome file = open_file(path);
  ASSERT_EQ(::posix_fadvise(file.fd.get(), 0, 0, POSIX_FADV_RANDOM), 0);  // no readahead into the window
  const uint64_t window = window_of(large_);
  for (const uint64_t offset : {window - 2 * kPageBytes, window + kWithheldBytes + 2 * kPageBytes}) {
    EXPECT_TRUE(same_bytes(read_at(file.fd.get(), offset, 1000).bytes, model_.read(offset, 1000)));
  }

  const std::string inside = std::to_string(window / kPageBytes + 1);
  ChildProcess reader({"dd", "if=" + path, "of=/dev/null", "bs=4096", "count=1", "skip=" + inside, "status=none"}, {});
  ASSERT_TRUE(registry_.wait_until_waiting(1, kSoon));
  EXPECT_TRUE(eventually(kSoon, [&] { return process_state(reader.pid()) == 'D'; }));
  EXPECT_EQ(reader.wait(std::chrono::milliseconds(500)), std::nullopt) << "a withheld byte was given";
  registry_.mend(large_path);
  EXPECT_EQ(reader.wait(kSoon), 0);
}

TEST_F(CorruptionTest, NoByteOfASmallWrongLayerIsRead) {
  registry_.break_path(FakeRegistry::blob_path("app", small_.digest), flips_byte_at(199'999));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const OpenOutcome file = open_file(tar_of(mount, "app", "latest"));
  const ReadOutcome got = read_at(file.fd.get(), model_.member(small_).offset, 1, 1);
  EXPECT_EQ(got.error, EIO);
  EXPECT_EQ(got.bytes, "");
  EXPECT_FALSE(exists(published_path(mount.cache_directory(), small_.digest)));
}

TEST_F(CorruptionTest, AMendedRegistryIsEnoughOnNewAndOldHandles) {
  const std::string large_path = FakeRegistry::blob_path("app", large_.digest);
  registry_.break_path(large_path, flips_byte_at(kMiB));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const OpenOutcome file = open_file(tar_of(mount, "app", "latest"));
  const ReadOutcome broken = read_at(file.fd.get(), 0, UINT64_MAX);
  expect_no_reader_past(broken, large_);

  registry_.mend(large_path);
  const uint64_t window = window_of(large_);
  ReadOutcome again;
  ASSERT_TRUE(eventually(kAfterFailureMemory, [&] {
    again = read_at(file.fd.get(), window, kWithheldBytes);
    return again.error == 0;
  })) << mount.log();
  EXPECT_TRUE(same_bytes(again.bytes, model_.read(window, kWithheldBytes)));
  // What the kernel kept of the wrong bytes is gone as well.
  EXPECT_TRUE(eventually(kAfterFailureMemory, [&] {
    return read_at(file.fd.get(), 0, UINT64_MAX).bytes == model_.bytes();
  })) << same_bytes(read_at(file.fd.get(), 0, UINT64_MAX).bytes, model_.bytes()).message();
  EXPECT_TRUE(same_bytes(read_file(tar_of(mount, "app", "latest")).bytes, model_.bytes()));
  EXPECT_TRUE(exists(published_path(mount.cache_directory(), large_.digest)));
}

TEST_F(CorruptionTest, ALayerOfTheWrongLengthIsRefused) {
  for (const Fault& fault : {cuts_at(3 * kMiB), hangs_up_at(3 * kMiB), cuts_at(0)}) {
    registry_.break_path(FakeRegistry::blob_path("app", large_.digest), fault);
    const MountedRegfs mount;
    REGFS_ASSERT_MOUNTED(mount);
    expect_no_reader_past(read_file(tar_of(mount, "app", "latest")), large_);
    EXPECT_FALSE(exists(published_path(mount.cache_directory(), large_.digest)));
  }
}

TEST_F(CorruptionTest, ALayerLongerThanItsDescriptorIsRefused) {
  SampleImage lying =
      make_image({.layers = {{large_.media_type, large_.digest, large_.diff_id, seeded_bytes(1, 3 * kMiB)}}});
  registry_.push("lying", "latest", lying);
  registry_.put_blob(large_.digest, large_.content);
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const ReadOutcome got = read_file(tar_of(mount, "lying", "latest"));
  EXPECT_EQ(got.error, EIO);
  EXPECT_FALSE(exists(published_path(mount.cache_directory(), large_.digest)));
}

TEST_F(CorruptionTest, ADamagedCacheFileIsFetchedAgain) {
  const TempDir cache;
  const std::string published = published_path(cache.path(), large_.digest);
  {
    MountedRegfs mount({.cache_directory = cache.path()});
    REGFS_ASSERT_MOUNTED(mount);
    ASSERT_EQ(read_file(tar_of(mount, "app", "latest")).error, 0);
    ASSERT_EQ(mount.stop(), 0);
  }
  std::filesystem::permissions(published, std::filesystem::perms::owner_write, std::filesystem::perm_options::add);
  std::fstream(published, std::ios::in | std::ios::out | std::ios::binary).seekp(12'345).put('!');
  const MountedRegfs mount({.cache_directory = cache.path()});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(same_bytes(read_file(tar_of(mount, "app", "latest")).bytes, model_.bytes()));
}

// --- -o verify=before ---

TEST_F(CorruptionTest, VerifiedBeforeNoByteOfAWrongLayerIsSeen) {
  const uint64_t begin = model_.member(large_).offset;
  for (const uint64_t position : {uint64_t{0}, 4 * kMiB - 1}) {
    registry_.break_path(FakeRegistry::blob_path("app", large_.digest), flips_byte_at(position));
    const MountedRegfs mount({.arguments = {"-o", "verify=before"}});
    REGFS_ASSERT_MOUNTED(mount);
    const OpenOutcome file = open_file(tar_of(mount, "app", "latest"));
    const uint64_t pages = begin / kPageBytes * kPageBytes;  // the kernel reads no less than a page
    EXPECT_TRUE(same_bytes(read_at(file.fd.get(), 0, pages).bytes, model_.read(0, pages)));
    EXPECT_EQ(read_at(file.fd.get(), begin, 1, 1).error, EIO);
    EXPECT_EQ(read_at(file.fd.get(), begin + 4 * kMiB - 1, 1, 1).error, EIO);
    EXPECT_FALSE(exists(published_path(mount.cache_directory(), large_.digest)));
  }
}

TEST_F(CorruptionTest, VerifiedBeforeAReaderWaitsForTheLastByteOfALayer) {
  const std::string path = FakeRegistry::blob_path("app", large_.digest);
  registry_.break_path(path, stalls_at(4 * kMiB - 1));
  const MountedRegfs mount({.arguments = {"--verify", "before"}});
  REGFS_ASSERT_MOUNTED(mount);
  const OpenOutcome file = open_file(tar_of(mount, "app", "latest"));
  ReadOutcome got;
  std::atomic<bool> ended = false;
  std::thread reader([&] {
    got = read_at(file.fd.get(), model_.member(large_).offset, 1000);
    ended = true;
  });
  ASSERT_TRUE(registry_.wait_until_waiting(1, std::chrono::seconds(20)));
  EXPECT_FALSE(ended) << "every other byte has come";
  registry_.mend(path);
  reader.join();
  EXPECT_TRUE(same_bytes(got.bytes, model_.read(model_.member(large_).offset, 1000)));
  EXPECT_TRUE(same_bytes(read_file(tar_of(mount, "app", "latest")).bytes, model_.bytes()));
}

}  // namespace
}  // namespace regfs::test::corruption_test
