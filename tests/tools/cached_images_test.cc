// SPDX-License-Identifier: MIT
#include "tools/cached_images.h"

#include <gtest/gtest.h>

#include "tests/cache/cache_world.h"
#include "tests/support/sample_images.h"

namespace regfs::cached_images_test {
namespace {

struct ImageWorld : test::CacheWorld {
  std::unique_ptr<cache::RefStore> refs = *cache::RefStore::open(directory, clock);

  void put(const std::string& bytes) { EXPECT_TRUE(store->put_document(sha256_of(bytes), bytes)); }
  // Of its platforms one is there.
  void put_second_of(const test::SampleIndex& index) {
    for (const std::string& bytes : {index.body, index.images[1].manifest, index.images[1].config}) put(bytes);
  }
  void name(const std::string& tag, const Digest& digest) {
    EXPECT_TRUE(refs->put_tag("docker.io/library/nginx", tag, digest, ""));
  }
  std::vector<CachedImage> images() {
    Result<std::unique_ptr<cache::Inventory>> inventory = cache::Inventory::open(directory);
    EXPECT_TRUE(inventory);
    return cached_images(**inventory, *refs);
  }
};

TEST(CachedImages, OfATagWhoseDocumentIsNotThereKnowNoMoreThanItsDigest) {
  ImageWorld world;
  world.name("latest", sha256_of("an index"));
  const std::vector<CachedImage> images = world.images();
  ASSERT_EQ(images.size(), 1u);
  EXPECT_EQ(images[0].reference, "nginx:latest");
  EXPECT_EQ(images[0].digest, sha256_of("an index"));
  EXPECT_EQ(images[0].platform, "");
  EXPECT_EQ(images[0].size_bytes, std::nullopt);
  EXPECT_FALSE(images[0].complete());
}

TEST(CachedImages, SkipDocumentsThatAreNone) {
  ImageWorld world;
  world.put("no document");
  world.name("latest", sha256_of("no document"));
  ASSERT_EQ(world.images().size(), 1u);
  EXPECT_EQ(world.images()[0].size_bytes, std::nullopt);
}

TEST(CachedImages, ThatOnlyADigestLeadsToAreNamedByIt) {
  ImageWorld world;
  const test::SampleIndex index = test::multi_platform(1, 300'000);
  world.put_second_of(index);
  world.name(index.digest.str(), index.digest);
  ASSERT_EQ(world.images().size(), 1u);
  EXPECT_EQ(world.images()[0].reference, "nginx@" + index.digest.str());
  world.name("latest", index.digest);
  ASSERT_EQ(world.images().size(), 1u) << "and by a tag where there is one";
  EXPECT_EQ(world.images()[0].reference, "nginx:latest");
}

TEST(CachedImages, WithoutATagHaveNoName) {
  ImageWorld world;
  const test::SampleIndex index = test::multi_platform(1, 300'000);
  world.put_second_of(index);
  world.put(index.attestations[0].manifest);
  ASSERT_EQ(world.images().size(), 1u);
  EXPECT_EQ(world.images()[0].reference, "");
  EXPECT_EQ(world.images()[0].digest, index.images[1].digest);
  world.name("latest", index.digest);
  ASSERT_EQ(world.images().size(), 1u);
  EXPECT_EQ(world.images()[0].reference, "nginx:latest");
}

TEST(CachedImages, HaveThePlatformOfTheConfigAndCountALayerOnce) {
  ImageWorld world;
  const test::SampleLayer layer = test::seeded_layer(1, 300'000);
  const test::SampleImage image = test::make_image({.layers = {layer, layer}});
  world.put(image.manifest);
  world.name("1", image.digest);
  ASSERT_EQ(world.images().size(), 1u);
  EXPECT_EQ(world.images()[0].platform, "");
  EXPECT_EQ(world.images()[0].size_bytes, 300'000 + image.config.size());
  EXPECT_EQ(world.images()[0].present_bytes, 0u);

  world.put(image.config);
  EXPECT_EQ(world.images()[0].platform, "linux/amd64");
  EXPECT_EQ(world.images()[0].present_bytes, image.config.size());
  ASSERT_TRUE(test::bring(*world.blob(layer.digest, 300'000), test::bytes_of(*layer.content)));
  ASSERT_TRUE(world.disk->wait_renamed_to(world.layout.seal(layer.digest)));
  EXPECT_TRUE(world.images()[0].complete());
}

TEST(CachedImages, OfAnIndexAreThePlatformsWhoseManifestIsThere) {
  ImageWorld world;
  const test::SampleIndex index = test::multi_platform(1, 300'000);
  world.put(index.body);
  world.name("latest", index.digest);
  ASSERT_EQ(world.images().size(), 1u);
  EXPECT_EQ(world.images()[0].digest, index.digest);

  world.put(index.images[1].manifest);
  world.put(index.images[2].manifest);
  world.put(index.attestations[0].manifest);
  const std::vector<CachedImage> images = world.images();
  ASSERT_EQ(images.size(), 2u);
  EXPECT_EQ(images[0].platform, "linux/arm64/v8");
  EXPECT_EQ(images[0].digest, index.images[1].digest);
  EXPECT_EQ(images[1].platform, "linux/arm/v7");
}

}  // namespace
}  // namespace regfs::cached_images_test
