// SPDX-License-Identifier: MIT
// The bytes of an archive, however they are read, against a model that shares no code with the program.
#include <sys/mman.h>

#include <algorithm>
#include <random>

#include "tests/mount/mount_fixture.h"

namespace regfs::test::archive_test {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kRangeBytes = 256 << 10;  // what a demand may fetch before the prefetch starts

// Sizes around every boundary: the tar block, the page, the layer that is withheld whole, and the window.
SampleImage varied_image() {
  const SampleLayer repeated = seeded_layer(31, 513);
  return make_image(
      {.layers = {seeded_layer(30, 1), repeated, seeded_layer(32, 512), seeded_layer(33, 4095), seeded_layer(34, kMiB),
                  repeated, seeded_layer(35, kMiB + 1), seeded_layer(36, 3 * kMiB + 17), seeded_layer(37, 70'000)}});
}

class ArchiveTest : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (!IsSkipped()) registry_.push("app", "latest", image_);
  }

  const SampleImage image_ = varied_image();
};

TEST_F(ArchiveTest, F7_EndsWhereStatSaid) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const std::string path = tar_of(mount, "app", "latest");
  const auto status = stat_of(path);
  ASSERT_TRUE(status);
  const uint64_t size_bytes = static_cast<uint64_t>(status->st_size);
  EXPECT_EQ(size_bytes, model_of(image_, "app", "latest").size_bytes());
  const OpenOutcome file = open_file(path);
  EXPECT_EQ(read_at(file.fd.get(), size_bytes, 100).bytes, "");
  EXPECT_EQ(read_at(file.fd.get(), size_bytes + 5 * kMiB, 100).bytes, "");
  EXPECT_EQ(read_at(file.fd.get(), size_bytes - 1, 100).bytes.size(), 1u);
  EXPECT_EQ(read_at(file.fd.get(), 0, UINT64_MAX).bytes.size(), size_bytes);
}

TEST_F(ArchiveTest, F7_IsTheModelColdAndWarmInPiecesOfAnySize) {
  const std::string wanted = model_of(image_, "app", "latest").bytes();
  for (const size_t piece : {size_t{509}, size_t{4096}, size_t{32'768}, size_t{1'000'003}}) {
    const MountedRegfs mount;
    REGFS_ASSERT_MOUNTED(mount);
    const std::string path = tar_of(mount, "app", "latest");
    const OpenOutcome file = open_file(path);
    ASSERT_EQ(file.error, 0);
    EXPECT_TRUE(same_bytes(read_at(file.fd.get(), 0, UINT64_MAX, piece).bytes, wanted)) << piece << " cold";
    EXPECT_TRUE(same_bytes(read_file(path, piece).bytes, wanted)) << piece << " from the page cache";
    forget_pages(file.fd.get());
    EXPECT_TRUE(same_bytes(read_at(file.fd.get(), 0, UINT64_MAX, piece).bytes, wanted)) << piece << " from the cache";
  }
}

TEST_F(ArchiveTest, F7_IsTheModelInRandomOrderAndSizes) {
  const ArchiveModel model = model_of(image_, "app", "latest");
  std::mt19937_64 random(20'240'506);
  for (int round = 0; round < 4; ++round) {
    const MountedRegfs mount;
    REGFS_ASSERT_MOUNTED(mount);
    const OpenOutcome file = open_file(tar_of(mount, "app", "latest"));
    ASSERT_EQ(file.error, 0);
    for (int count = 0; count < 200; ++count) {
      const uint64_t offset = random() % model.size_bytes();
      const uint64_t length = random() % (count % 10 == 0 ? 2 * kMiB : 20'000);
      const ReadOutcome got = read_at(file.fd.get(), offset, length);
      ASSERT_EQ(got.error, 0) << offset;
      ASSERT_TRUE(same_bytes(got.bytes, model.read(offset, length))) << offset;
      if (count % 50 == 0) forget_pages(file.fd.get());
    }
  }
}

TEST_F(ArchiveTest, F7_IsTheModelBackwards) {
  const ArchiveModel model = model_of(image_, "app", "latest");
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const OpenOutcome file = open_file(tar_of(mount, "app", "latest"));
  constexpr uint64_t kPiece = 100'000;
  for (uint64_t at = model.size_bytes() / kPiece + 1; at-- > 0;) {
    const ReadOutcome got = read_at(file.fd.get(), at * kPiece, kPiece);
    ASSERT_TRUE(same_bytes(got.bytes, model.read(at * kPiece, kPiece))) << at * kPiece << ", errno " << got.error;
  }
}

TEST_F(ArchiveTest, F7_CanBeMapped) {
  const std::string wanted = model_of(image_, "app", "latest").bytes();
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const OpenOutcome file = open_file(tar_of(mount, "app", "latest"));
  void* const mapped = ::mmap(nullptr, wanted.size(), PROT_READ, MAP_SHARED, file.fd.get(), 0);
  ASSERT_NE(mapped, MAP_FAILED);
  EXPECT_TRUE(same_bytes(std::string(static_cast<const char*>(mapped), wanted.size()), wanted));
  ::munmap(mapped, wanted.size());
}

TEST_F(ArchiveTest, HasTheSameDigestFromTwoCaches) {
  const Digest wanted = model_of(image_, "app", "latest").digest();
  const MountedRegfs first;
  const MountedRegfs second;
  REGFS_ASSERT_MOUNTED(first);
  REGFS_ASSERT_MOUNTED(second);
  EXPECT_EQ(digest_of_file(tar_of(first, "app", "latest")).digest, wanted);
  EXPECT_EQ(digest_of_file(tar_of(second, "app", "latest")).digest, wanted);
}

TEST_F(ArchiveTest, HasTheBytesThatItHasAlwaysHad) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const DigestOutcome tar = digest_of_file(mount / registry_.host() / "app" / image_.digest.str() / "linux-amd64.tar");
  ASSERT_TRUE(tar.digest) << tar.error;
  EXPECT_EQ(tar.digest->hex(), "b17f7af73487db2124e6aa82c534942fd8daffb86e99c2609c7057cefb92d350");
}

TEST_F(ArchiveTest, HoldsNoNamesWhenAddressedByDigest) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const ReadOutcome tar = read_file(mount / registry_.host() / "app" / image_.digest.str() / "linux-amd64.tar");
  EXPECT_TRUE(same_bytes(tar.bytes, ArchiveModel(image_, std::nullopt).bytes()));
}

TEST_F(ArchiveTest, ComesFromTheCacheAfterARemount) {
  const TempDir cache;
  const std::string wanted = model_of(image_, "app", "latest").bytes();
  {
    MountedRegfs mount({.cache_directory = cache.path()});
    REGFS_ASSERT_MOUNTED(mount);
    ASSERT_TRUE(same_bytes(read_file(tar_of(mount, "app", "latest")).bytes, wanted));
    ASSERT_EQ(mount.stop(), 0);
  }
  for (const SampleLayer& layer : image_.layers) EXPECT_TRUE(exists(published_path(cache.path(), layer.digest)));
  registry_.journal().forget();
  const MountedRegfs mount({.cache_directory = cache.path()});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(same_bytes(read_file(tar_of(mount, "app", "latest")).bytes, wanted));
  EXPECT_EQ(registry_.journal().count("", "/blobs/"), 0u);
}

TEST_F(ArchiveTest, SharesALayerOfTwoRepositories) {
  const SampleImage other = make_image({.layers = {image_.layers[7], seeded_layer(40, 1000)}});
  registry_.push("other", "latest", other);
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  ASSERT_EQ(read_file(tar_of(mount, "app", "latest")).error, 0);
  EXPECT_TRUE(
      same_bytes(read_file(tar_of(mount, "other", "latest")).bytes, model_of(other, "other", "latest").bytes()));
  EXPECT_TRUE(asked_of("other", image_.layers[7]).empty());
}

TEST_F(ArchiveTest, IsListedByTarForTwoSmallRangesOfEachLargeLayer) {
  const SampleImage image =
      make_image({.layers = {seeded_layer(50, 8 * kMiB), seeded_layer(51, 300'000), seeded_layer(52, 3 * kMiB),
                             seeded_layer(53, kMiB + 1), seeded_layer(54, 5 * kMiB + 1000)}});
  registry_.push("listed", "latest", image);
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const Finished tar = run({"tar", "-tf", tar_of(mount, "listed", "latest")});
  EXPECT_EQ(tar.status, 0) << tar.error;
  const ArchiveModel model = model_of(image, "listed", "latest");
  std::string names;
  for (const ArchiveModel::Member& member : model.members()) names += member.name + "\n";
  EXPECT_EQ(tar.output, names);
  for (const SampleLayer& layer : image.layers) {
    if (layer.content->size_bytes() <= kMiB) continue;
    const std::vector<ByteSpan> spans = asked_of("listed", layer);
    EXPECT_LE(spans.size(), 2u) << "of a layer of " << layer.content->size_bytes();
    for (const ByteSpan& span : spans) EXPECT_LE(span.length(), kRangeBytes) << span.begin;
  }
}

TEST_F(ArchiveTest, HasRightHeadersAroundLayersOverEightGib) {
  const SampleLayer huge = unverifiable_layer(60, (9ull << 30) + 5);
  const SampleLayer huger = unverifiable_layer(61, (8ull << 30) - 1);
  const SampleLayer edge = unverifiable_layer(62, 8ull << 30);
  const SampleLayer small = seeded_layer(63, 777);
  const SampleImage image = make_image({.layers = {huge, huger, edge, small}});
  registry_.push("huge", "latest", image);
  const ArchiveModel model = model_of(image, "huge", "latest");
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const std::string path = tar_of(mount, "huge", "latest");
  const auto status = stat_of(path);
  ASSERT_TRUE(status);
  EXPECT_EQ(static_cast<uint64_t>(status->st_size), model.size_bytes());

  const OpenOutcome file = open_file(path);
  for (const SampleLayer& layer : image.layers) {
    const uint64_t header = model.member(layer).header_offset;
    EXPECT_TRUE(same_bytes(read_at(file.fd.get(), header, 512).bytes, model.read(header, 512)));
    const uint64_t tail = model.member(layer).end() - 100;
    EXPECT_TRUE(same_bytes(read_at(file.fd.get(), tail, 1200).bytes, model.read(tail, 1200)));
  }
  uint64_t asked = 0;
  for (const SampleLayer& layer : image.layers) asked += total_length(asked_of("huge", layer));
  EXPECT_LE(asked, 16 * kRangeBytes);
}

}  // namespace
}  // namespace regfs::test::archive_test
