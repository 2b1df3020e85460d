// SPDX-License-Identifier: MIT
#include "cache/unlinked_disk.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "cache/ref_store.h"
#include "cache/store.h"
#include "tests/cache/cache_world.h"

namespace regfs::cache::unlinked_disk_test {
namespace {

using test::bytes_of;
using test::CacheWorld;
using test::TempDir;

const std::string kBytes = test::random_bytes(1, 3'000'000);
const StoreOptions kKeepNothing{.keep = Keep::no};

std::unique_ptr<BlobStore> open_unkept(CacheWorld& world, const std::string& directory) {
  Result<std::unique_ptr<BlobStore>> store =
      open_store(directory, world.clock, world.log.log(), world.disk, kKeepNothing);
  EXPECT_TRUE(store) << (store ? "" : store.error().context());
  return store ? *std::move(store) : nullptr;
}

TEST(UnlinkedDisk, SaysWhatToDoWhereNoFileCanBeMade) {
  CacheWorld world;
  world.disk->fail(test::FaultyDisk::Call::opening, EACCES);
  Result<std::unique_ptr<BlobStore>> store =
      open_store(world.directory, world.clock, world.log.log(), world.disk, kKeepNothing);
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().context().find("give --cache-dir a directory that you can write"), std::string::npos)
      << store.error().context();
}

TEST(UnlinkedDisk, LeavesNothingInTheDirectoryWhileABlobIsThere) {
  CacheWorld world;
  const std::string directory = world.scratch / "empty";
  ::mkdir(directory.c_str(), 0700);
  std::unique_ptr<BlobStore> store = open_unkept(world, directory);
  std::shared_ptr<Blob> blob = *store->blob(sha256_of(kBytes), kBytes.size());
  ASSERT_TRUE(test::bring(*blob, kBytes));
  ASSERT_EQ(test::wait_readable(*blob), Blob::Readable::yes);
  EXPECT_EQ(test::read(*blob), kBytes);
  EXPECT_EQ(test::files_in(directory), 0u);
}

TEST(UnlinkedDisk, MakesNoDirectoryThatIsMissing) {
  CacheWorld world;
  std::unique_ptr<BlobStore> store = open_unkept(world, world.scratch / "missing" + "/deeper");
  std::shared_ptr<Blob> blob = *store->blob(sha256_of(kBytes), kBytes.size());
  ASSERT_TRUE(test::bring(*blob, kBytes));
  EXPECT_EQ(store->directory(), world.scratch.path());
  EXPECT_FALSE(std::filesystem::exists(world.scratch / "missing"));
}

TEST(UnlinkedDisk, FetchesABlobOnceForTheTimeOfTheStore) {
  CacheWorld world;
  std::unique_ptr<BlobStore> store = open_unkept(world, world.scratch.path());
  {
    std::shared_ptr<Blob> blob = *store->blob(sha256_of(kBytes), kBytes.size());
    ASSERT_TRUE(test::bring(*blob, kBytes));
    ASSERT_EQ(test::wait_readable(*blob), Blob::Readable::yes);
    ASSERT_TRUE(store->put_document(sha256_of("{}"), "{}"));
  }
  EXPECT_EQ(store->present_bytes(sha256_of(kBytes), kBytes.size()), kBytes.size());
  std::shared_ptr<Blob> again = *store->blob(sha256_of(kBytes), kBytes.size());
  EXPECT_EQ(again->present_bytes(), kBytes.size());
  EXPECT_EQ(test::read(*again, 5, 100), kBytes.substr(5, 100));
  EXPECT_EQ(store->document(sha256_of("{}"), 100), "{}");
}

TEST(UnlinkedDisk, ResumesWhatWasLeftHalfWay) {
  CacheWorld world;
  std::unique_ptr<BlobStore> store = open_unkept(world, world.scratch.path());
  ASSERT_TRUE(test::bring(**store->blob(sha256_of(kBytes), kBytes.size()), kBytes, 0, 1'000'000));
  EXPECT_EQ((*store->blob(sha256_of(kBytes), kBytes.size()))->present_bytes(), 1'000'000u);
}

TEST(UnlinkedDisk, ReadsNothingOfTheCacheInItsDirectory) {
  CacheWorld world;
  test::publish(world, kBytes);
  std::unique_ptr<BlobStore> store = open_unkept(world, world.directory);
  EXPECT_EQ(store->present_bytes(sha256_of(kBytes), kBytes.size()), 0u);
}

TEST(UnlinkedDisk, NamesWhatIsInADirectoryOnce) {
  std::shared_ptr<Disk> disk = unlinked_disk(system_disk(), std::nullopt, "/large");
  for (const char* path : {"/refs/a/tags/1", "/refs/a/tags/2", "/refs/a/list", "/refs/b", "/reference"}) {
    ASSERT_TRUE(disk->open(path, OpenFor::writing_new));
  }
  EXPECT_EQ(disk->list("/refs").value(), (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(disk->open("/refs/b", OpenFor::writing_new));
  EXPECT_FALSE(disk->open("/refs/c", OpenFor::reading));
}

TEST(UnlinkedDisk, RemembersTagsForTheTimeOfTheMount) {
  CacheWorld world;
  std::unique_ptr<RefStore> refs = RefStore::in_memory(world.clock);
  ASSERT_TRUE(refs->put_tag("docker.io/library/nginx", "latest", sha256_of("x"), "type"));
  ASSERT_TRUE(refs->put_tag_list("docker.io/library/nginx", {"1", "latest"}));
  EXPECT_EQ(refs->tag("docker.io/library/nginx", "latest")->digest, sha256_of("x"));
  EXPECT_EQ(refs->tag_list("docker.io/library/nginx")->tags.size(), 2u);
  EXPECT_EQ(refs->repositories(), std::vector<std::string>{"docker.io/library/nginx"});
  EXPECT_TRUE(RefStore::in_memory(world.clock)->repositories().empty());
}

}  // namespace
}  // namespace regfs::cache::unlinked_disk_test
