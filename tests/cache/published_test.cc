// SPDX-License-Identifier: MIT
#include "cache/published.h"

#include <gtest/gtest.h>

#include "tests/cache/cache_world.h"

namespace regfs::cache::published_test {
namespace {

struct PublishedWorld : test::CacheWorld {
  std::shared_ptr<SmallFiles> small_files = std::make_shared<SmallFiles>(disk, layout);
  Published published{disk, small_files, layout};
};
const Digest kDigest = sha256_of("right");

TEST(Published, DropsTheFileFoundWrongNotTheOnePutInItsPlace) {
  PublishedWorld world;
  test::put_file(world.layout.blob(kDigest), "wrong");
  Result<std::optional<Published::File>> found = world.published.find(kDigest);
  ASSERT_TRUE(found && *found);
  ASSERT_TRUE(world.published.publish(kDigest, "right"));
  world.published.drop(kDigest, *(*found)->file);
  EXPECT_EQ(test::file_text(world.layout.blob(kDigest)), "right");

  found = world.published.find(kDigest);
  ASSERT_TRUE(found && *found);
  world.published.drop(kDigest, *(*found)->file);
  EXPECT_EQ(world.published.size_bytes(kDigest), 0u);
  EXPECT_FALSE(std::filesystem::exists(world.layout.seal(kDigest)));
}

TEST(Published, IsStillPublishedWhenTheSealDoesNotFit) {
  PublishedWorld world;
  world.disk->set_room(5);
  ASSERT_TRUE(world.published.publish(kDigest, "right"));
  Result<std::optional<Published::File>> found = world.published.find(kDigest);
  ASSERT_TRUE(found && *found);
  EXPECT_FALSE((*found)->sealed());
}

}  // namespace
}  // namespace regfs::cache::published_test
