// SPDX-License-Identifier: MIT
// What looks after a cache directory: it sees what is there, finds what is wrong, and removes nothing that is in use.
#include "cache/inventory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/cache/cache_world.h"

namespace regfs::cache::inventory_test {
namespace {

using test::CacheWorld;
namespace stdfs = std::filesystem;

constexpr uint64_t kMiB = 1 << 20;
const std::string kLayer = test::random_bytes(1, 2 * kMiB);
const std::string kOther = test::random_bytes(2, kMiB);
const std::string kDocument = R"({"schemaVersion":2})";

using Verdict = Inventory::Verdict;
using Repair = Inventory::Repair;

struct Kept : CacheWorld {
  Kept() {
    test::publish(*this, kLayer);
    test::publish(*this, kOther);
    EXPECT_TRUE(store->put_document(sha256_of(kDocument), kDocument));
  }
  std::unique_ptr<Inventory> inventory() const { return std::make_unique<Inventory>(disk, layout); }
  std::string blob_path(const std::string& bytes) const { return layout.blob(sha256_of(bytes)); }
  bool has(const std::string& bytes) const { return stdfs::exists(stdfs::symlink_status(blob_path(bytes))); }
  Inventory::Checked check(const std::string& bytes, Repair repair) const {
    return inventory()->check(sha256_of(bytes), repair, [](uint64_t) {});
  }
  // One bit, with size and mtime as before.
  void flip(const std::string& bytes) const {
    struct stat before {};
    ASSERT_EQ(::stat(blob_path(bytes).c_str(), &before), 0);
    std::fstream file(blob_path(bytes), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(bytes.size() / 2));
    file.put(static_cast<char>(bytes[bytes.size() / 2] ^ 1));
    file.close();
    const timespec times[2] = {before.st_atim, before.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, blob_path(bytes).c_str(), times, 0), 0);
  }
  void last_used(const std::string& bytes, time_t when) const {
    const timespec times[2] = {{when, 0}, {when, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, layout.seal(sha256_of(bytes)).c_str(), times, 0), 0);
  }
};

TEST(Inventory, RefusesWhatIsNoCacheDirectoryAndMakesNone) {
  test::TempDir scratch;
  Result<std::unique_ptr<Inventory>> missing = Inventory::open(scratch / "none");
  ASSERT_FALSE(missing);
  EXPECT_TRUE(missing.error().is(Errc::not_found));
  EXPECT_NE(missing.error().context().find("--cache-dir"), std::string::npos);
  EXPECT_FALSE(stdfs::exists(scratch / "none"));

  Result<std::unique_ptr<Inventory>> foreign = Inventory::open(scratch.path());
  ASSERT_FALSE(foreign);
  EXPECT_TRUE(foreign.error().is(Errc::not_found));
  EXPECT_TRUE(stdfs::is_empty(scratch.path()));
}

TEST(Inventory, RefusesANewerFormatWithTheSentenceOfAMount) {
  CacheWorld world;
  world.store.reset();
  test::put_file(world.layout.marker(), marker_text(kCacheFormat + 1));
  Result<std::unique_ptr<Inventory>> opened = Inventory::open(world.directory);
  ASSERT_FALSE(opened);
  EXPECT_TRUE(opened.error().is(Errc::unsupported));
  EXPECT_NE(opened.error().context().find("belongs to a newer regfs"), std::string::npos);
}

TEST(Inventory, ListsBlobsAndPartsTheOneUsedLastFirst) {
  Kept world;
  world.last_used(kLayer, 3'000);
  world.last_used(kOther, 2'000);
  world.last_used(kDocument, 1'000);
  const std::string part = test::random_bytes(3, 3 * kMiB);
  ASSERT_TRUE(test::bring(*world.blob(part), part, 0, kMiB));
  world.store.reset();  // its record is written
  const std::vector<Inventory::Item> items = world.inventory()->items();
  ASSERT_EQ(items.size(), 4u);
  EXPECT_EQ(items[0].digest, sha256_of(part));
  EXPECT_FALSE(items[0].complete);
  EXPECT_EQ(items[0].size_bytes, 3 * kMiB);
  EXPECT_EQ(items[0].present_bytes, kMiB);
  EXPECT_EQ(items[1].digest, sha256_of(kLayer));
  EXPECT_TRUE(items[1].complete);
  EXPECT_EQ(items[1].present_bytes, 2 * kMiB);
  EXPECT_EQ(items[1].last_use, 3'000'000'000'000);
  EXPECT_EQ(items[2].digest, sha256_of(kOther));
  EXPECT_TRUE(items[3].document());
}

TEST(Inventory, ReadsDocumentsOnlyWhenTheyAreRightAndCountsThatAsNoUse) {
  Kept world;
  world.last_used(kDocument, 1'000);
  EXPECT_EQ(world.inventory()->document(sha256_of(kDocument), 1'000), kDocument);
  EXPECT_EQ(world.inventory()->items().back().last_use, 1'000'000'000'000);
  EXPECT_EQ(world.inventory()->document(sha256_of(kDocument), 3), std::nullopt);
  world.flip(kDocument);
  EXPECT_EQ(world.inventory()->document(sha256_of(kDocument), 1'000), std::nullopt);
  EXPECT_TRUE(world.has(kDocument));
}

TEST(Inventory, KnowsThePathOfWhatIsPublished) {
  Kept world;
  EXPECT_EQ(world.inventory()->path_of(sha256_of(kLayer)), world.blob_path(kLayer));
  EXPECT_EQ(world.inventory()->path_of(sha256_of("another")), std::nullopt);
}

TEST(Inventory, FindsAFlippedBitThatSizeAndTimesDoNotShow) {
  Kept world;
  world.flip(kLayer);
  const Inventory::Checked wrong = world.check(kLayer, Repair::no);
  EXPECT_EQ(wrong.verdict, Verdict::wrong);
  EXPECT_NE(wrong.why.find("hash to"), std::string::npos) << wrong.why;
  EXPECT_FALSE(wrong.dropped);
  EXPECT_TRUE(world.has(kLayer));
  EXPECT_EQ(world.check(kOther, Repair::no).verdict, Verdict::right);

  const Inventory::Checked repaired = world.check(kLayer, Repair::yes);
  EXPECT_EQ(repaired.verdict, Verdict::wrong);
  EXPECT_TRUE(repaired.dropped);
  EXPECT_FALSE(world.has(kLayer));
  EXPECT_FALSE(stdfs::exists(world.layout.seal(sha256_of(kLayer))));
  EXPECT_EQ(world.check(kLayer, Repair::no).verdict, Verdict::gone);
}

TEST(Inventory, HashesEveryByteAndTellsOfEach) {
  Kept world;
  uint64_t hashed = 0;
  ASSERT_TRUE(Inventory::open(world.directory));
  EXPECT_EQ(world.inventory()->published().size(), 3u);
  for (const Digest& digest : world.inventory()->published()) {
    EXPECT_EQ(world.inventory()->check(digest, Repair::no, [&](uint64_t bytes) { hashed += bytes; }).verdict,
              Verdict::right);
  }
  EXPECT_EQ(hashed, kLayer.size() + kOther.size() + kDocument.size());
}

TEST(Inventory, CallsALinkADirectoryAndAFifoWrongAndRemovesThem) {
  Kept world;
  test::put_file(world.scratch / "outside", kLayer);
  for (const char* kind : {"link", "directory", "fifo"}) {
    const std::string path = world.blob_path(kLayer);
    stdfs::remove_all(path);
    if (*kind == 'l') stdfs::create_symlink(world.scratch / "outside", path);
    if (*kind == 'd') stdfs::create_directories(path + "/inside");
    if (*kind == 'f') {
      ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    }
    EXPECT_EQ(world.check(kLayer, Repair::no).verdict, Verdict::wrong) << kind;
    EXPECT_TRUE(world.has(kLayer)) << kind;
    EXPECT_TRUE(world.check(kLayer, Repair::yes).dropped) << kind;
    EXPECT_FALSE(world.has(kLayer)) << kind;
  }
  EXPECT_EQ(test::file_text(world.scratch / "outside"), kLayer);
}

TEST(Inventory, CallsNothingDamagedForWantOfDescriptors) {
  Kept world;
  world.disk->fail(test::FaultyDisk::Call::opening, EMFILE);
  EXPECT_EQ(world.check(kLayer, Repair::yes).verdict, Verdict::unchecked);
  world.disk->fail(test::FaultyDisk::Call::opening, 0);
  EXPECT_TRUE(world.has(kLayer));
  EXPECT_EQ(world.check(kLayer, Repair::no).verdict, Verdict::right);
}

TEST(Inventory, CallsDamagedWhatTheDiskCannotRead) {
  Kept world;
  world.disk->fail(test::FaultyDisk::Call::reading, EIO);
  std::unique_ptr<Inventory> inventory = world.inventory();
  EXPECT_EQ(inventory->check(sha256_of(kLayer), Repair::no, [](uint64_t) {}).verdict, Verdict::unchecked)
      << "its seal cannot be read";
  std::filesystem::remove(world.layout.seal(sha256_of(kLayer)));
  EXPECT_EQ(inventory->check(sha256_of(kLayer), Repair::no, [](uint64_t) {}).verdict, Verdict::wrong);
  EXPECT_TRUE(inventory->check(sha256_of(kLayer), Repair::yes, [](uint64_t) {}).dropped);
  EXPECT_FALSE(world.has(kLayer));
}

TEST(Inventory, SealsWhatIsRightWhenItRepairs) {
  Kept world;
  const std::string seal = world.layout.seal(sha256_of(kLayer));
  stdfs::remove(seal);
  EXPECT_EQ(world.check(kLayer, Repair::no).verdict, Verdict::right);
  EXPECT_FALSE(stdfs::exists(seal));
  EXPECT_EQ(world.check(kLayer, Repair::yes).verdict, Verdict::right);
  EXPECT_TRUE(stdfs::exists(seal));
}

TEST(Inventory, EvictsTheLeastRecentlyUsedDownToASizeAndNothingThatIsOpen) {
  Kept world;
  world.last_used(kLayer, 1'000);
  world.last_used(kOther, 2'000);
  std::shared_ptr<Blob> reader = world.blob(kLayer);
  world.last_used(kLayer, 1'000);  // the reader has used it just now

  const Inventory::Evicted none = world.inventory()->evict_to(100 * kMiB);
  EXPECT_EQ(none.blobs + none.freed_bytes, 0u);
  const Inventory::Evicted first = world.inventory()->evict_to(5 * kMiB / 2);
  EXPECT_EQ(first.blobs, 1u);
  EXPECT_TRUE(world.has(kLayer));
  EXPECT_FALSE(world.has(kOther));
  EXPECT_TRUE(world.has(kDocument));

  const Inventory::Evicted all = world.inventory()->evict_to(0);
  EXPECT_EQ(all.blobs, 1u);
  EXPECT_GE(all.left_bytes, 2 * kMiB);
  EXPECT_TRUE(world.has(kLayer));
  EXPECT_FALSE(world.has(kDocument));
  EXPECT_EQ(test::read(*reader), kLayer);

  reader.reset();
  EXPECT_EQ(world.inventory()->evict_to(0).left_bytes, 0u);
  EXPECT_FALSE(world.has(kLayer));
}

TEST(Inventory, SweepsDebrisAndLeavesPartsThatCanBeResumed) {
  Kept world;
  const std::string part = test::random_bytes(3, 3 * kMiB);
  ASSERT_TRUE(test::bring(*world.blob(part), part, 0, kMiB));
  world.store.reset();
  test::put_file(world.layout.new_files_directory() + "/1.1", "debris");
  const std::string without_record = world.layout.part(sha256_of("gone"), 4);
  test::put_file(without_record, "gone");
  test::put_file(world.layout.seal(sha256_of("gone")), "a seal of nothing");

  EXPECT_EQ(world.inventory()->sweep().files, 3u);
  EXPECT_FALSE(stdfs::exists(without_record));
  EXPECT_FALSE(stdfs::exists(world.layout.seal(sha256_of("gone"))));
  EXPECT_TRUE(stdfs::exists(world.layout.part(sha256_of(part), part.size())));
  EXPECT_EQ(world.check(kLayer, Repair::no).verdict, Verdict::right);
  EXPECT_EQ(world.inventory()->sweep().files, 0u);
}

}  // namespace
}  // namespace regfs::cache::inventory_test
