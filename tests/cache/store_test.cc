// SPDX-License-Identifier: MIT
#include "cache/store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/cache/cache_world.h"

namespace regfs::cache::store_test {
namespace {

using test::bring;
using test::CacheWorld;
using test::random_bytes;
using test::wait_readable;
using Readable = Blob::Readable;
using Call = test::FaultyDisk::Call;

constexpr uint64_t kLarge = 3 << 20;

std::string why_not(const std::string& directory) {
  test::FakeClock clock;
  test::MemoryLog log(clock);
  Result<std::unique_ptr<BlobStore>> opened = BlobStore::open(directory, clock, log.log());
  return opened ? "it opened" : opened.error().context();
}

// --- opening ---

TEST(BlobStore, RefusesWhatIsNoDirectory) {
  test::TempDir dir;
  test::put_file(dir / "file", "");
  EXPECT_NE(why_not(dir / "file").find("--cache-dir"), std::string::npos);
  EXPECT_NE(why_not(dir / "file/below").find("--cache-dir"), std::string::npos);
  EXPECT_NE(why_not("").find("no cache directory"), std::string::npos);
}

TEST(BlobStore, RefusesADirectoryOfANewerFormat) {
  CacheWorld world;
  world.store.reset();
  test::put_file(world.layout.marker(), marker_text(kCacheFormat + 1));
  std::string sentence = why_not(world.directory);
  EXPECT_NE(sentence.find("has format 2"), std::string::npos) << sentence;
  EXPECT_NE(sentence.find("upgrade"), std::string::npos) << sentence;
}

TEST(BlobStore, RefusesADirectoryThatCannotBeWritten) {
  CacheWorld world;
  world.store.reset();
  world.disk->fail(Call::opening, EROFS);
  Result<std::unique_ptr<BlobStore>> opened = open_store(world.directory, world.clock, world.log.log(), world.disk);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), std::errc::read_only_file_system);
  EXPECT_NE(opened.error().context().find("make this one writable"), std::string::npos);
}

TEST(BlobStore, WarnsWhenOthersCouldWriteTheCache) {
  CacheWorld world;
  EXPECT_EQ(world.log.lines().size(), 0u);
  ASSERT_EQ(::chmod(world.directory.c_str(), 0777), 0);
  world.reopen();
  EXPECT_TRUE(world.log.contains("chmod 700"));
}

TEST(BlobStore, OpensOnAFullDiskWhatIsAlreadyThere) {
  CacheWorld world;
  std::string bytes = random_bytes(1, 1000);
  publish(world, bytes);
  world.store.reset();
  world.disk->set_room(0);
  world.store = world.open();
  std::shared_ptr<Blob> blob = world.blob(bytes);
  EXPECT_TRUE(blob->complete());
  EXPECT_EQ(test::read(*blob), bytes);
  EXPECT_FALSE(world.store->put_document(sha256_of("new"), "new"));
}

TEST(BlobStore, MakesAnOciLayoutForItsOwnerOnly) {
  CacheWorld world;
  EXPECT_EQ(test::file_text(world.layout.oci_layout()), R"({"imageLayoutVersion":"1.0.0"})");
  EXPECT_EQ(test::file_text(world.layout.oci_index()), R"({"schemaVersion":2,"manifests":[]})");
  EXPECT_EQ(world.disk->facts(world.directory)->permissions, 0700u);
  publish(world, "bytes");
  EXPECT_EQ(world.disk->facts(world.layout.blob(sha256_of("bytes")))->permissions, 0600u);
}

TEST(BlobStore, WritesAMarkerThatAPowerFailureEmptiedAgain) {
  CacheWorld world;
  test::put_file(world.layout.marker(), "");
  world.reopen();
  EXPECT_EQ(test::file_text(world.layout.marker()), marker_text(kCacheFormat));
}

// --- what others did to the files ---

TEST(BlobStore, DropsACachedFileWhoseBytesChanged) {
  CacheWorld world;
  std::string bytes = random_bytes(2, kLarge);
  publish(world, bytes);
  std::string path = world.layout.blob(sha256_of(bytes));
  std::string bad = bytes;
  bad[5] ^= 1;
  test::put_file(path, bad);
  world.reopen();

  std::shared_ptr<Blob> blob = world.blob(bytes);
  ASSERT_TRUE(test::wait_claimable(*blob));
  EXPECT_EQ(blob->readable(0, 10), Readable::not_yet);
  EXPECT_EQ(blob->present_bytes(), 0u);
  EXPECT_FALSE(world.disk->facts(path));
  EXPECT_TRUE(world.log.contains("was damaged and is dropped"));
  ASSERT_TRUE(bring(*blob, bytes));
  EXPECT_EQ(wait_readable(*blob), Readable::yes);
  EXPECT_EQ(test::read(*blob), bytes);
}

TEST(BlobStore, VerifiesAFileAgainWhoseCtimeChanged) {
  CacheWorld world;
  std::string bytes = random_bytes(3, kLarge);
  publish(world, bytes);
  ASSERT_EQ(::chmod(world.layout.blob(sha256_of(bytes)).c_str(), 0640), 0);
  EXPECT_EQ(wait_readable(*world.blob(bytes)), Readable::yes);
  EXPECT_EQ(world.log.lines().size(), 0u);
  ASSERT_TRUE(world.wait_sealed(bytes, 2));
  world.store.reset();
  world.store = world.open();
  EXPECT_TRUE(world.blob(bytes)->complete()) << "sealed again, it needs no third verification";
}

TEST(BlobStore, ServesNoByteOfADoubtfulFileBeforeItIsVerified) {
  CacheWorld world;
  std::string bytes = random_bytes(3, kLarge);
  publish(world, bytes);
  std::filesystem::remove(world.layout.seal(sha256_of(bytes)));
  world.disk->hold(Call::reading);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  EXPECT_EQ(blob->readable(0, 1), Readable::not_yet);
  EXPECT_FALSE(blob->claim(0, kLarge));
  EXPECT_TRUE(blob->covered(0, kLarge));
  EXPECT_EQ(blob->present_bytes(), kLarge) << "whoever waits, waits for no network";
  EXPECT_FALSE(blob->complete());
  world.disk->release(Call::reading);
  EXPECT_EQ(wait_readable(*blob), Readable::yes);
  EXPECT_EQ(test::read(*blob), bytes);
}

TEST(BlobStore, TellsWhoWaitedForADoubtfulFileToAskAnewWhenItIsWrong) {
  CacheWorld world;
  std::string bytes = random_bytes(3, kLarge);
  test::put_file(world.layout.blob(sha256_of(bytes)), random_bytes(4, kLarge));
  world.disk->hold(Call::reading);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  test::Bell asked_anew;
  EXPECT_NE(blob->when_readable(0, 10, [&] { asked_anew.ring(); }), 0u);
  world.disk->release(Call::reading);
  ASSERT_TRUE(asked_anew.wait());
  EXPECT_EQ(blob->readable(0, 10), Readable::not_yet);
  EXPECT_FALSE(blob->failure());
  EXPECT_FALSE(blob->covered(0, 10));
}

struct Damage {
  const char* what;
  void (*done_to)(const std::string& path, const std::string& outside);
};
const Damage kDamages[] = {
    {"cut short", [](auto& path, auto&) { std::filesystem::resize_file(path, 10); }},
    {"emptied", [](auto& path, auto&) { std::filesystem::resize_file(path, 0); }},
    {"extended", [](auto& path, auto&) { std::filesystem::resize_file(path, 5000); }},
    {"zeroed", [](auto& path, auto&) { test::put_file(path, std::string(2000, '\0')); }},
    {"a symbolic link",
     [](auto& path, auto& outside) {
       std::filesystem::remove(path);
       std::filesystem::create_symlink(outside, path);
     }},
    {"a directory",
     [](auto& path, auto&) {
       std::filesystem::remove(path);
       std::filesystem::create_directories(path + "/sub");
     }},
    {"a FIFO",
     [](auto& path, auto&) {
       std::filesystem::remove(path);
       ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
     }},
};

TEST(BlobStore, RepairsWhateverStandsInTheNameOfABlob) {
  for (const Damage& damage : kDamages) {
    SCOPED_TRACE(damage.what);
    CacheWorld world;
    std::string bytes = random_bytes(4, 2000);
    publish(world, bytes);
    std::string path = world.layout.blob(sha256_of(bytes));
    test::put_file(world.scratch / "outside", bytes);
    damage.done_to(path, world.scratch / "outside");

    std::shared_ptr<Blob> blob = world.blob(bytes);
    EXPECT_FALSE(blob->complete());
    ASSERT_TRUE(test::wait_claimable(*blob));
    ASSERT_TRUE(bring(*blob, bytes));
    ASSERT_EQ(wait_readable(*blob), Readable::yes);
    ASSERT_TRUE(world.wait_sealed(bytes, 2));
    EXPECT_EQ(test::file_text(path), bytes);
    EXPECT_EQ(test::file_text(world.scratch / "outside"), bytes);
  }
}

TEST(BlobStore, VerifiesABlobThatCameWithoutASeal) {
  CacheWorld world;
  std::string bytes = random_bytes(5, kLarge);
  test::put_file(world.layout.blob(sha256_of(bytes)), bytes);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  EXPECT_FALSE(blob->claim(0, 1));
  EXPECT_TRUE(blob->covered(0, kLarge));
  EXPECT_EQ(wait_readable(*blob), Readable::yes);
  EXPECT_EQ(test::read(*blob), bytes);
}

TEST(BlobStore, DeclaresNothingDamagedWhenDescriptorsRunOut) {
  CacheWorld world;
  std::string bytes = random_bytes(6, 1000);
  publish(world, bytes);
  world.disk->fail(Call::opening, EMFILE);
  Result<std::shared_ptr<Blob>> blob = world.store->blob(sha256_of(bytes), bytes.size());
  ASSERT_FALSE(blob);
  EXPECT_EQ(blob.error().code(), std::errc::too_many_files_open);
  EXPECT_EQ(world.store->document(sha256_of(bytes), 1 << 20), std::nullopt);
  world.disk->fail(Call::opening, 0);
  EXPECT_TRUE(world.blob(bytes)->complete());
}

TEST(BlobStore, GoesOnReadingABlobThatWasRemoved) {
  CacheWorld world;
  std::string bytes = random_bytes(7, kLarge);
  publish(world, bytes);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  std::filesystem::remove(world.layout.blob(blob->digest()));
  EXPECT_EQ(test::read(*blob), bytes);
  blob.reset();
  EXPECT_FALSE(world.blob(bytes)->complete());
}

// --- descriptors that lie ---

TEST(BlobStore, RefusesAnotherSizeForAVerifiedBlob) {
  CacheWorld world;
  std::string bytes = random_bytes(8, 1000);
  publish(world, bytes);
  Result<std::shared_ptr<Blob>> lie = world.store->blob(sha256_of(bytes), 999);
  ASSERT_FALSE(lie);
  EXPECT_TRUE(lie.error().is(Errc::wrong_length));
  std::shared_ptr<Blob> open = world.blob(bytes);
  EXPECT_FALSE(world.store->blob(sha256_of(bytes), 1001));
  EXPECT_TRUE(world.blob(bytes)->complete());
}

TEST(BlobStore, LetsNoLieStandInTheWayOfTheTruth) {
  CacheWorld world;
  std::string bytes = random_bytes(9, kLarge);
  std::shared_ptr<Blob> liar = world.blob(sha256_of(bytes), kLarge + 10);
  ASSERT_TRUE(bring(*liar, bytes + "0123456789", 0, kLarge));
  std::shared_ptr<Blob> honest = world.blob(bytes);
  ASSERT_TRUE(bring(*honest, bytes));
  EXPECT_EQ(wait_readable(*honest), Readable::yes);
  ASSERT_TRUE(bring(*liar, bytes + "0123456789"));
  EXPECT_EQ(wait_readable(*liar), Readable::failed);
  EXPECT_EQ(test::read(*honest), bytes);
}

TEST(BlobStore, FindsOutWhoLiesAboutAnUnsealedFile) {
  CacheWorld world;
  std::string bytes = random_bytes(10, 5000);
  test::put_file(world.layout.blob(sha256_of(bytes)), bytes);
  std::shared_ptr<Blob> liar = world.blob(sha256_of(bytes), 4000);
  EXPECT_EQ(wait_readable(*liar), Readable::failed);
  EXPECT_TRUE(liar->failure()->is(Errc::wrong_length));
  EXPECT_EQ(wait_readable(*world.blob(bytes)), Readable::yes);
}

// --- documents ---

TEST(BlobStore, TakesNoDocumentUnderAnotherDigest) {
  CacheWorld world;
  Result<void> put = world.store->put_document(sha256_of("a"), "b");
  ASSERT_FALSE(put);
  EXPECT_TRUE(put.error().is(Errc::digest_mismatch));
  EXPECT_EQ(test::files_in(world.layout.blobs_directory()), 0u);
}

TEST(BlobStore, DropsADocumentThatChanged) {
  CacheWorld world;
  ASSERT_TRUE(world.store->put_document(sha256_of("document"), "document"));
  test::put_file(world.layout.blob(sha256_of("document")), "documenT");
  EXPECT_EQ(world.store->document(sha256_of("document"), 100), std::nullopt);
  EXPECT_FALSE(world.disk->facts(world.layout.blob(sha256_of("document"))));
  ASSERT_TRUE(world.store->put_document(sha256_of("document"), "document"));
  EXPECT_EQ(world.store->document(sha256_of("document"), 100), "document");
}

TEST(BlobStore, GivesNoDocumentOverTheBound) {
  CacheWorld world;
  ASSERT_TRUE(world.store->put_document(sha256_of("12345"), "12345"));
  EXPECT_EQ(world.store->document(sha256_of("12345"), 4), std::nullopt);
  EXPECT_EQ(world.store->document(sha256_of("12345"), 5), "12345");
}

TEST(BlobStore, ServesADocumentAsABlobToo) {
  CacheWorld world;
  ASSERT_TRUE(world.store->put_document(sha256_of("config"), "config"));
  EXPECT_TRUE(world.blob("config")->complete());
  EXPECT_EQ(world.store->present_bytes(sha256_of("config"), 6), 6u);
  EXPECT_EQ(world.store->present_bytes(sha256_of("config"), 7), 0u);
}

// --- the end ---

TEST(BlobStore, AnswersEveryWaiterWhenShutDown) {
  CacheWorld world;
  std::string bytes = random_bytes(19, kLarge);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  ASSERT_TRUE(bring(*blob, bytes, 0, 1000));
  std::optional<Claim> claim = blob->claim(5000, 10);
  test::Bell bell;
  blob->when_readable(5000, 10, [&] { bell.ring(); });
  world.store->shutdown({Errc::shutting_down, "bye"});
  world.store->shutdown({Errc::shutting_down, "bye again"});
  EXPECT_EQ(bell.rung(), 1);
  EXPECT_TRUE(blob->failure()->is(Errc::shutting_down));
  EXPECT_FALSE(claim->write(5000, test::bytes_of(bytes).subspan(5000, 10)));
  EXPECT_FALSE(world.store->blob(sha256_of("other"), 5));
  EXPECT_FALSE(world.store->put_document(sha256_of("doc"), "doc"));
  world.clock.advance(std::chrono::hours(1));
  EXPECT_FALSE(blob->retry_if_due());
}

TEST(BlobStore, MayGoBeforeItsBlobs) {
  CacheWorld world;
  std::string bytes = random_bytes(20, kLarge);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  ASSERT_TRUE(bring(*blob, bytes, 0, 1000));
  world.store.reset();
  EXPECT_EQ(test::read(*blob, 0, 1000), bytes.substr(0, 1000));
  blob.reset();
  world.store = world.open();
  EXPECT_EQ(world.blob(bytes)->present_bytes(), 1000u);
}

TEST(BlobStore, IsSettledOnceWhatIsVerifiedIsPublished) {
  CacheWorld world;
  const std::string bytes = test::random_bytes(1, 3 << 20);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  ASSERT_TRUE(test::bring(*blob, bytes));
  ASSERT_EQ(test::wait_readable(*blob), Blob::Readable::yes);
  ASSERT_TRUE(world.store->settle(std::chrono::minutes(1)));
  EXPECT_TRUE(std::filesystem::exists(world.layout.blob(sha256_of(bytes))));
  EXPECT_TRUE(std::filesystem::exists(world.layout.seal(sha256_of(bytes))));
}

}  // namespace
}  // namespace regfs::cache::store_test
