// SPDX-License-Identifier: MIT
#include "cache/ref_store.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/cache/cache_world.h"

namespace regfs::cache::ref_store_test {
namespace {

using test::FakeClock;
using test::TempDir;

const std::string kNginx = "docker.io/library/nginx";
const Digest kDigest = sha256_of("an index");

struct RefWorld {
  TempDir dir;
  FakeClock clock;
  std::unique_ptr<RefStore> refs = open();

  std::unique_ptr<RefStore> open() {
    Result<std::unique_ptr<RefStore>> opened = RefStore::open(dir.path(), clock);
    EXPECT_TRUE(opened);
    return std::move(*opened);
  }
  std::vector<std::string> files() const {
    std::vector<std::string> all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir / "refs")) {
      if (entry.is_regular_file()) all.push_back(entry.path().string());
    }
    return all;
  }
};

TEST(RefStore, TreatsADamagedRecordAsAbsent) {
  RefWorld world;
  ASSERT_TRUE(world.refs->put_tag(kNginx, "latest", kDigest, "m"));
  std::string path = world.files().at(0);
  std::string good = test::file_text(path);
  std::string deep = R"({"repository":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  for (const std::string& bad :
       {std::string(), std::string("null"), std::string("[]"), good.substr(0, good.size() / 2), good + "x", deep,
        std::string(
            R"({"repository":"docker.io/library/nginx","tag":"latest","digest":"md5:1","mediaType":"","stored":1})"),
        std::string(R"({"repository":"docker.io/library/nginx","tag":"latest","digest":7,"mediaType":"","stored":1})"),
        std::string(1 << 20, ' ')}) {
    test::put_file(path, bad);
    EXPECT_FALSE(world.refs->tag(kNginx, "latest")) << bad.substr(0, 80);
  }
  test::put_file(path, good);
  EXPECT_TRUE(world.refs->tag(kNginx, "latest"));
}

TEST(RefStore, TreatsAnAbsurdTimeAsAbsent) {
  RefWorld world;
  ASSERT_TRUE(world.refs->put_tag_list(kNginx, {"a"}));
  std::string path = world.files().at(0);
  for (const char* stored : {"-1", "9223372036854775807", "1e30", "\"1\"", "null"}) {
    test::put_file(path,
                   R"({"repository":"docker.io/library/nginx","tags":["a"],"stored":)" + std::string(stored) + "}");
    EXPECT_FALSE(world.refs->tag_list(kNginx)) << stored;
  }
}

TEST(RefStore, BelievesNoRecordOfAnotherName) {
  RefWorld world;
  ASSERT_TRUE(world.refs->put_tag(kNginx, "old", kDigest, "m"));
  std::string path = world.files().at(0);
  std::filesystem::copy_file(path, std::filesystem::path(path).parent_path() / "new.json");
  EXPECT_FALSE(world.refs->tag(kNginx, "new"));
}

TEST(RefStore, StaysInItsDirectory) {
  RefWorld world;
  for (const std::string& name : {std::string("../../outside"), std::string(".."), std::string("/etc/passwd"),
                                  std::string(255, 'x') + "/" + std::string(255, 'y')}) {
    ASSERT_TRUE(world.refs->put_tag(name, name, kDigest, "m"));
    std::optional<TagRecord> tag = world.refs->tag(name, name);
    ASSERT_TRUE(tag) << name;
    EXPECT_EQ(tag->digest, kDigest);
  }
  EXPECT_EQ(world.files().size(), 4u);
  EXPECT_EQ(world.refs->repositories().size(), 4u);
  EXPECT_FALSE(std::filesystem::exists(world.dir.path() + "/../outside"));
}

TEST(RefStore, RefusesANameThatJsonCannotHold) {
  RefWorld world;
  Result<void> put = world.refs->put_tag(kNginx, "\xff", kDigest, "m");
  ASSERT_FALSE(put);
  EXPECT_TRUE(put.error().is(Errc::malformed));
}

TEST(RefStore, SaysWhenItsDirectoryCannotBe) {
  TempDir dir;
  FakeClock clock;
  test::put_file(dir / "file", "");
  EXPECT_FALSE(RefStore::open(dir / "file", clock));
}

TEST(RefStore, RemembersOverARestart) {
  RefWorld world;
  Wall::time_point stored = world.clock.wall_now();
  ASSERT_TRUE(world.refs->put_tag(kNginx, "latest", kDigest, "application/vnd.oci.image.index.v1+json"));
  ASSERT_TRUE(world.refs->put_tag_list("localhost:5000/a", {"v1", "v2"}));
  world.clock.advance(std::chrono::hours(5));
  world.refs = world.open();

  std::optional<TagRecord> tag = world.refs->tag(kNginx, "latest");
  ASSERT_TRUE(tag);
  EXPECT_EQ(tag->digest, kDigest);
  EXPECT_EQ(tag->media_type, "application/vnd.oci.image.index.v1+json");
  EXPECT_EQ(tag->stored, stored);
  std::optional<TagListRecord> list = world.refs->tag_list("localhost:5000/a");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->tags, (std::vector<std::string>{"v1", "v2"}));
  EXPECT_EQ(list->stored, stored);
  EXPECT_EQ(world.refs->repositories(), (std::vector<std::string>{kNginx, "localhost:5000/a"}));
}

TEST(RefStore, TellsTagsApart) {
  RefWorld world;
  ASSERT_TRUE(world.refs->put_tag(kNginx, "a", kDigest, ""));
  ASSERT_TRUE(world.refs->put_tag(kNginx, "A", sha256_of("other"), ""));
  EXPECT_EQ(world.refs->tag(kNginx, "a")->digest, kDigest);
  EXPECT_EQ(world.refs->tag(kNginx, "A")->digest, sha256_of("other"));
  EXPECT_FALSE(world.refs->tag("docker.io/library", "a"));
  EXPECT_FALSE(world.refs->tag_list(kNginx));
}

TEST(RefStore, ForgetsATagThatIsGone) {
  RefWorld world;
  ASSERT_TRUE(world.refs->put_tag(kNginx, "a", kDigest, ""));
  ASSERT_TRUE(world.refs->put_tag(kNginx, "b", kDigest, ""));
  world.refs->drop_tag(kNginx, "a");
  EXPECT_FALSE(world.refs->tag(kNginx, "a"));
  EXPECT_TRUE(world.refs->tag(kNginx, "b"));
  world.refs->drop_tag(kNginx, "b");
  world.refs->drop_tag(kNginx, "never");
  EXPECT_TRUE(world.refs->repositories().empty());
}

TEST(RefStore, IsWrittenByManyThreads) {
  RefWorld world;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int step = 0; step < 50; ++step) {
        std::string tag = "t" + std::to_string(i);
        EXPECT_TRUE(world.refs->put_tag(kNginx, tag, kDigest, ""));
        EXPECT_TRUE(world.refs->tag(kNginx, tag));
        world.refs->drop_tag(kNginx, tag);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(world.refs->repositories().empty());
}

TEST(RefStore, KnowsTheTagsOfARepositoryAndOnlyThoseOfTheirOwnName) {
  RefWorld world;
  EXPECT_TRUE(world.refs->known_tags(kNginx).empty());
  ASSERT_TRUE(world.refs->put_tag_list(kNginx, {"1", "2", "latest"}));
  ASSERT_TRUE(world.refs->put_tag(kNginx, "latest", kDigest, "m"));
  ASSERT_TRUE(world.refs->put_tag(kNginx, "1.27", kDigest, "m"));
  ASSERT_TRUE(world.refs->put_tag("docker.io/library/redis", "7", kDigest, "m"));
  const std::string tags = world.dir / "refs/docker.io%2Flibrary%2Fnginx/tags/";
  std::filesystem::copy_file(tags + "latest.json", tags + "copy.json");
  test::put_file(tags + "damaged.json", "{");
  const std::vector<RefStore::KnownTag> known = world.refs->known_tags(kNginx);
  ASSERT_EQ(known.size(), 2u);
  EXPECT_EQ(known[0].tag, "1.27");
  EXPECT_EQ(known[1].tag, "latest");
  EXPECT_EQ(known[1].record.digest, kDigest);
}

}  // namespace
}  // namespace regfs::cache::ref_store_test
