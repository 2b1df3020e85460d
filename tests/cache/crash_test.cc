// SPDX-License-Identifier: MIT
// The process is killed, or the power fails, after each change it makes to the disk in turn: nothing
// wrong is ever published, nothing published is ever lost, and the next process can go on.
#include <gtest/gtest.h>

#include "tests/cache/cache_world.h"

namespace regfs::cache::crash_test {
namespace {

using test::bring;
using test::CacheWorld;
using test::FaultyDisk;
using test::random_bytes;

struct Story {
  const std::string layer = random_bytes(1, (1 << 20) + 5000);
  const std::string half_layer = random_bytes(2, 1 << 20);
  const std::string document = R"({"schemaVersion":2})";

  bool layer_published = false;
  bool document_published = false;

  // What a mount does in its life; whatever fails, fails.
  void run(CacheWorld& world) {
    document_published = world.store->put_document(sha256_of(document), document).has_value();
    {
      Result<std::shared_ptr<Blob>> blob = world.store->blob(sha256_of(layer), layer.size());
      if (blob && bring(**blob, layer, 0, layer.size(), 200'000)) layer_published = world.wait_sealed(layer);
    }
    Result<std::shared_ptr<Blob>> half = world.store->blob(sha256_of(half_layer), half_layer.size());
    if (half) (void)bring(**half, half_layer, 0, half_layer.size() / 2, 200'000);
    half = Error{Errc::cancelled, "let go"};
    (void)world.disk->wait_renamed_to(world.layout.ranges(world.layout.part(sha256_of(half_layer), half_layer.size())));
  }
};

void expect_only_right_blobs(const CacheWorld& world) {
  for (const auto& entry : std::filesystem::directory_iterator(world.layout.blobs_directory())) {
    EXPECT_EQ(sha256_of(test::file_text(entry.path().string())).hex(), entry.path().filename().string());
  }
}

// The next process gets everything, and needs no byte of what was published before.
void expect_it_goes_on(CacheWorld& world, const Story& story) {
  if (story.document_published) {
    EXPECT_EQ(world.store->document(sha256_of(story.document), 100), story.document);
  }
  for (const std::string& bytes : {story.layer, story.half_layer}) {
    std::shared_ptr<Blob> blob = world.blob(bytes);
    ASSERT_TRUE(blob);
    bool published = story.layer_published && bytes == story.layer;
    if (!published) {
      ASSERT_TRUE(bring(*blob, bytes));
    }
    if (test::wait_readable(*blob) == Blob::Readable::failed) {
      ADD_FAILURE() << blob->failure()->context();
      return;
    }
    EXPECT_TRUE(test::read(*blob) == bytes);
  }
  if (story.layer_published) {
    EXPECT_EQ(world.log.count(sha256_of(story.layer).hex()), 0u) << "nothing of it was damaged";
  }
}

uint64_t changes_of_a_life() {
  CacheWorld world;
  uint64_t before = world.disk->changes();
  Story().run(world);
  return world.disk->changes() - before;
}

template <typename Then>
void die_at_every_instant(Then then) {
  uint64_t changes = changes_of_a_life();
  ASSERT_GT(changes, 20u);
  for (uint64_t last = 0; last <= changes; ++last) {
    SCOPED_TRACE("after change " + std::to_string(last));
    CacheWorld world;
    world.disk->die_after(last);
    Story story;
    story.run(world);
    world.store.reset();
    then(world);
    world.store = world.open();
    expect_it_goes_on(world, story);
    if (testing::Test::HasFailure()) return;
  }
}

TEST(Crash, KillAtAnyInstantLosesNothingPublishedAndPublishesNothingWrong) {
  die_at_every_instant([](CacheWorld& world) {
    expect_only_right_blobs(world);
    world.disk = std::make_shared<FaultyDisk>();
  });
}

TEST(Crash, PowerLossThatForgetsNamesLosesNothingPublished) {
  die_at_every_instant([](CacheWorld& world) {
    world.disk->lose_unsynced(FaultyDisk::Names::undone);
    expect_only_right_blobs(world);
    world.disk = std::make_shared<FaultyDisk>();
    world.disk->set_boot_id("22222222-2222-2222-2222-222222222222");
  });
}

TEST(Crash, PowerLossThatKeepsNamesPublishesNothingWrong) {
  die_at_every_instant([](CacheWorld& world) {
    world.disk->lose_unsynced(FaultyDisk::Names::kept);
    expect_only_right_blobs(world);
    world.disk = std::make_shared<FaultyDisk>();
    world.disk->set_boot_id("22222222-2222-2222-2222-222222222222");
  });
}

TEST(Crash, AfterAPowerLossOnlySyncedPartsAreResumed) {
  CacheWorld world;
  std::string bytes = random_bytes(3, 2 << 20);
  std::shared_ptr<Blob> blob = world.blob(bytes);
  ASSERT_TRUE(bring(*blob, bytes, 0, 5000));
  world.store->shutdown({Errc::shutting_down, "bye"});  // recorded, not synced
  blob.reset();
  world.store.reset();
  world.disk->set_boot_id("22222222-2222-2222-2222-222222222222");
  world.store = world.open();
  EXPECT_EQ(world.blob(bytes)->present_bytes(), 0u);

  blob = world.blob(bytes);
  ASSERT_TRUE(bring(*blob, bytes, 0, 6000));
  blob.reset();
  ASSERT_TRUE(world.disk->wait_renamed_to(world.layout.ranges(world.layout.part(sha256_of(bytes), bytes.size())), 2));
  world.store.reset();
  world.disk->set_boot_id("33333333-3333-3333-3333-333333333333");
  world.store = world.open();
  EXPECT_EQ(world.blob(bytes)->present_bytes(), 6000u);
}

}  // namespace
}  // namespace regfs::cache::crash_test
