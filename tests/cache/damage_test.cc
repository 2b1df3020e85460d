// SPDX-License-Identifier: MIT
// C1, C2, C3: each file of a cache directory in turn is damaged in every way; what is read is right, or not there.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/ref_store.h"
#include "tests/cache/cache_world.h"

namespace regfs::cache::damage_test {
namespace {

using test::CacheWorld;
namespace stdfs = std::filesystem;

const std::string kLayer = test::random_bytes(1, 1'500'000);
const std::string kHalf = test::random_bytes(2, 1'500'000);
const std::string kDocument = R"({"schemaVersion":2})";
constexpr const char* kRepository = "docker.io/library/nginx";

enum class Damage { flipped, truncated, emptied, lengthened, directory, symlink, fifo, unreadable };

class DamagedCache : public testing::TestWithParam<Damage> {
 protected:
  DamagedCache() {
    test::publish(world_, kLayer);
    EXPECT_TRUE(world_.store->put_document(sha256_of(kDocument), kDocument));
    EXPECT_TRUE(test::bring(*world_.blob(kHalf), kHalf, 0, 700'000));
    world_.store->count_need(*world_.blob(kLayer));
    world_.store.reset();
    std::unique_ptr<RefStore> refs = *RefStore::open(world_.directory, world_.clock);
    EXPECT_TRUE(refs->put_tag(kRepository, "latest", sha256_of(kDocument), "type"));
    EXPECT_TRUE(refs->put_tag_list(kRepository, {"latest"}));
    test::put_file(outside_, kOutside);
  }

  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : stdfs::recursive_directory_iterator(world_.directory)) {
      if (entry.is_regular_file()) names.push_back(stdfs::relative(entry.path(), world_.directory));
    }
    return names;
  }

  void damage(const std::string& path) const {
    const Damage kind = GetParam();
    if (kind == Damage::unreadable) {
      ASSERT_EQ(::chmod(path.c_str(), 0), 0);
      return;
    }
    std::string text = test::file_text(path);
    stdfs::remove(path);
    if (kind == Damage::directory) stdfs::create_directory(path);
    if (kind == Damage::symlink) stdfs::create_symlink(outside_, path);
    if (kind == Damage::fifo) {
      ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    }
    if (stdfs::exists(stdfs::symlink_status(path))) return;
    if (kind == Damage::flipped) text[text.size() / 2] ^= 1;
    if (kind == Damage::truncated) text.resize(text.size() / 2);
    if (kind == Damage::emptied) text.clear();
    if (kind == Damage::lengthened) text += "and more";
    test::put_file(path, text);
  }

  // Brings what is missing, as a transfer does, and reads it all.
  static void expect_right(BlobStore& store, const std::string& bytes) {
    Result<std::shared_ptr<Blob>> blob = store.blob(sha256_of(bytes), bytes.size());
    if (!blob) return;  // an error is no wrong byte
    store.count_need(**blob);
    // A file that is being verified cannot be claimed until it has proved wrong, and then its waiters run.
    while ((*blob)->readable(0, bytes.size()) == Blob::Readable::not_yet) {
      auto bell = std::make_shared<test::Bell>();
      (*blob)->when_readable(0, bytes.size(), [bell] { bell->ring(); });
      (void)test::bring(**blob, bytes);
      ASSERT_TRUE(bell->wait());
    }
    if ((*blob)->readable(0, bytes.size()) == Blob::Readable::yes) {
      EXPECT_TRUE(test::read(**blob) == bytes);
    }
  }

  void expect_nothing_wrong(const std::string& directory) {
    Result<std::unique_ptr<BlobStore>> store =
        BlobStore::open(directory, world_.clock, world_.log.log(), {.budget_bytes = 1ull << 30});
    if (!store) {
      EXPECT_NE(store.error().context().find("--cache-dir"), std::string::npos) << store.error().context();
      return;
    }
    expect_right(**store, kLayer);
    expect_right(**store, kHalf);
    EXPECT_EQ((*store)->document(sha256_of(kDocument), 100).value_or(kDocument), kDocument);
    Result<std::unique_ptr<RefStore>> refs = RefStore::open(directory, world_.clock);
    ASSERT_TRUE(refs);
    if (std::optional<TagRecord> tag = (*refs)->tag(kRepository, "latest")) {
      // A tag has no digest of its own: a flipped bit may be another tag's meaning, but never no digest at all.
      EXPECT_EQ(tag->digest.str().size(), sha256_of(kDocument).str().size());
    }
    (void)(*refs)->tag_list(kRepository);
  }

  static constexpr const char* kOutside = "what is outside stays as it is";
  CacheWorld world_;
  const std::string outside_ = world_.scratch / "outside";
};

TEST_P(DamagedCache, GivesNoWrongByteWhicheverFileItIs) {
  size_t number = 0;
  for (const std::string& name : files()) {
    SCOPED_TRACE(name);
    const std::string copy = world_.scratch / ("copy" + std::to_string(number++));
    ASSERT_EQ(std::system(("cp -a '" + world_.directory + "' '" + copy + "'").c_str()), 0);
    damage(copy + "/" + name);
    expect_nothing_wrong(copy);
    EXPECT_EQ(test::file_text(outside_), kOutside);
    stdfs::remove_all(copy);
  }
  EXPECT_GE(number, 11u);
}

std::string name_of(const testing::TestParamInfo<Damage>& info) {
  constexpr const char* kNames[] = {"Flips",           "Truncates",    "Empties",     "Lengthens", "BecomesADirectory",
                                    "BecomesASymlink", "BecomesAFifo", "CannotBeRead"};
  return kNames[static_cast<size_t>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(EachFile, DamagedCache,
                         testing::Values(Damage::flipped, Damage::truncated, Damage::emptied, Damage::lengthened,
                                         Damage::directory, Damage::symlink, Damage::fifo, Damage::unreadable),
                         name_of);

}  // namespace
}  // namespace regfs::cache::damage_test
