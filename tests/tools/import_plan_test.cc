// SPDX-License-Identifier: MIT
#include "tools/import_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/sha256.h"
#include "tests/support/archive_model.h"
#include "tests/support/sample_images.h"
#include "tests/support/tar_builder.h"
#include "tests/support/temp_dir.h"
#include "tools/docker_archive.h"

namespace regfs::import_plan_test {
namespace {

using test::TarBuilder;

struct Importing {
  test::TempDir scratch;
  uint64_t whole = 0;
  uint64_t hashed = 0;

  Result<ImportPlan> plan_of(const std::string& bytes) {
    std::ofstream(scratch / "a.tar", std::ios::binary | std::ios::trunc) << bytes;
    return plan_at(scratch / "a.tar");
  }
  Result<ImportPlan> plan_at(const std::string& path) {
    Result<std::unique_ptr<ImportSource>> source = ImportSource::open(path);
    if (!source) return source.error();
    return plan_import(**source, {[&](uint64_t bytes) { whole = bytes; }, [&](uint64_t bytes) { hashed += bytes; }});
  }
  void expect_refusal(const std::string& bytes, Errc code, const std::string& words) {
    Result<ImportPlan> plan = plan_of(bytes);
    ASSERT_FALSE(plan) << words;
    EXPECT_TRUE(plan.error().is(code)) << plan.error().context();
    EXPECT_NE(plan.error().context().find(words), std::string::npos) << words << " in: " << plan.error().context();
  }
};

std::vector<Digest> digests_of(const ImportPlan& plan) {
  std::vector<Digest> digests;
  for (const ImportPlan::Blob& blob : plan.blobs) digests.push_back(blob.digest);
  std::sort(digests.begin(), digests.end());
  return digests;
}

std::vector<Digest> sorted(std::vector<Digest> digests) {
  std::sort(digests.begin(), digests.end());
  return digests;
}

test::SampleImage sample() {
  return test::make_image({.layers = {test::seeded_layer(1, 5000), test::seeded_layer(2, 700)}});
}

std::string archive_of(const test::SampleImage& image) {
  return test::ArchiveModel(image, "registry.example", "app", "1").bytes();
}

std::string blob_name(const Digest& digest) {
  return "blobs/sha256/" + digest.hex();
}

// An index.json of that one document.
std::string index_of(const std::string& media_type, const Digest& digest, size_t size) {
  return R"({"schemaVersion":2,"manifests":[{"mediaType":")" + media_type + R"(","digest":")" + digest.str() +
         R"(","size":)" + std::to_string(size) + "}]}";
}

std::string docker_manifest(const std::string& config, const std::string& layers) {
  return R"([{"Config":")" + config + R"(","RepoTags":["app:1"],"Layers":[)" + layers + "]}]";
}

TEST(ImportPlan, RefusesADamagedBlobWhole) {
  Importing importing;
  const test::SampleImage image = sample();
  const test::ArchiveModel model(image, "registry.example", "app", "1");
  for (const std::string& name :
       {blob_name(image.layers[1].digest), blob_name(image.config_digest), blob_name(image.digest)}) {
    std::string bytes = model.bytes();
    bytes[model.member(name).offset + 10] ^= 1;
    importing.expect_refusal(bytes, Errc::digest_mismatch, name + " is damaged");
  }
}

TEST(ImportPlan, RefusesABlobOfAnotherLengthThanItsDescriptorSays) {
  Importing importing;
  const test::SampleImage image = sample();
  const std::string bytes = TarBuilder()
                                .file("index.json", index_of(image.media_type, image.digest, image.manifest.size()))
                                .file(blob_name(image.digest), image.manifest)
                                .file(blob_name(image.layers[0].digest), "short")
                                .bytes();
  importing.expect_refusal(bytes, Errc::wrong_length, "has 5 bytes, not 5000");
}

TEST(ImportPlan, RefusesLinksInPlaceOfBlobs) {
  Importing importing;
  const test::SampleImage image = sample();
  const std::string index = index_of(image.media_type, image.digest, image.manifest.size());
  importing.expect_refusal(TarBuilder().file("index.json", index).header(blob_name(image.digest), '2', 0).bytes(),
                           Errc::malformed, "links are not followed");
  importing.expect_refusal(TarBuilder().header("index.json", '1', 0).bytes(), Errc::malformed,
                           "links are not followed");

  std::filesystem::create_directories(importing.scratch / "layout/blobs");
  std::ofstream(importing.scratch / "layout/index.json") << index;
  std::filesystem::create_directory(importing.scratch / "elsewhere");
  std::ofstream(importing.scratch / ("elsewhere/" + image.digest.hex())) << image.manifest;
  std::filesystem::create_directory_symlink(importing.scratch / "elsewhere", importing.scratch / "layout/blobs/sha256");
  Result<ImportPlan> plan = importing.plan_at(importing.scratch / "layout");
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().context().find("links are not followed"), std::string::npos) << plan.error().context();
}

TEST(ImportPlan, RefusesWhatHoldsNoImage) {
  Importing importing;
  importing.expect_refusal(TarBuilder().file("etc/passwd", "x").bytes(), Errc::malformed, "neither an index.json nor");
  importing.expect_refusal(TarBuilder().file("index.json", "{").bytes(), Errc::malformed, "index.json");
  importing.expect_refusal(TarBuilder().file("index.json", R"({"schemaVersion":2,"manifests":[]})").bytes(),
                           Errc::malformed, "no image in it");
  importing.expect_refusal(TarBuilder().file("manifest.json", "[]").bytes(), Errc::malformed, "no image in it");
  importing.expect_refusal(TarBuilder().file("manifest.json", "{}").bytes(), Errc::malformed, "no list of images");
  importing.expect_refusal(TarBuilder().file("manifest.json", std::string(5000, '[')).bytes(), Errc::malformed,
                           "no list");
  importing.expect_refusal(TarBuilder().file("manifest.json", docker_manifest("c.json", "")).bytes(), Errc::malformed,
                           "names 'c.json', which is not there");
  Result<ImportPlan> missing = importing.plan_at(importing.scratch / "none");
  ASSERT_FALSE(missing);
  EXPECT_TRUE(missing.error().is(Errc::not_found));
}

TEST(ImportPlan, OfADirectoryFollowsNoNameOutOfIt) {
  Importing importing;
  std::filesystem::create_directory(importing.scratch / "layout");
  std::ofstream(importing.scratch / "secret") << "{}";
  std::ofstream(importing.scratch / "layout/manifest.json") << docker_manifest("../secret", "");
  Result<ImportPlan> plan = importing.plan_at(importing.scratch / "layout");
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().context().find("'../secret' leads out"), std::string::npos) << plan.error().context();
}

TEST(ImportPlan, TakesAllOfOurOwnArchiveEachBlobOnce) {
  Importing importing;
  test::SampleLayer layer = test::seeded_layer(1, 5000);
  const test::SampleImage image = test::make_image({.layers = {layer, test::seeded_layer(2, 700), layer}});
  Result<ImportPlan> plan = importing.plan_of(archive_of(image));
  ASSERT_TRUE(plan) << plan.error().context();
  EXPECT_EQ(digests_of(*plan), sorted({image.digest, image.config_digest, layer.digest, image.layers[1].digest}));
  EXPECT_EQ(plan->layers(), 2u);
  EXPECT_TRUE(plan->blobs.back().document) << "what names others comes last";
  ASSERT_EQ(plan->images.size(), 1u);
  EXPECT_EQ(plan->images[0].digest, image.digest);
  EXPECT_EQ(plan->images[0].platform, "linux/amd64");
  EXPECT_TRUE(plan->images[0].manifest);
  EXPECT_TRUE(plan->uncompressed.empty());
  EXPECT_EQ(importing.hashed, importing.whole);
  EXPECT_EQ(importing.whole, 5700 + image.config.size());
}

TEST(ImportPlan, TakesAnIndexWithThosePlatformsThatAreThere) {
  Importing importing;
  const test::SampleIndex index = test::multi_platform(1, 3000);
  const test::SampleImage& image = index.images[1];
  TarBuilder builder;
  builder.file("index.json", index_of(index.media_type, index.digest, index.body.size()))
      .file(blob_name(index.digest), index.body)
      .file(blob_name(image.digest), image.manifest)
      .file(blob_name(image.config_digest), image.config)
      .file(blob_name(image.layers[0].digest), test::bytes_of(*image.layers[0].content))
      .file(blob_name(image.layers[1].digest), test::bytes_of(*image.layers[1].content));
  Result<ImportPlan> plan = importing.plan_of(builder.bytes());
  ASSERT_TRUE(plan) << plan.error().context();
  EXPECT_EQ(digests_of(*plan),
            sorted({index.digest, image.digest, image.config_digest, image.layers[0].digest, image.layers[1].digest}));
  ASSERT_EQ(plan->images.size(), 1u);
  EXPECT_EQ(plan->images[0].platform, "linux/arm64/v8");
  EXPECT_TRUE(plan->missing.empty());
}

TEST(ImportPlan, RefusesAManifestThatNamesWhatIsNotThere) {
  Importing importing;
  const test::SampleImage image =
      test::make_image({.layers = {test::seeded_layer(1, 3000), test::seeded_layer(2, 10)}});
  const auto refused = [&](bool config, const Digest& missing) {
    TarBuilder builder;
    builder.file("index.json", index_of(image.media_type, image.digest, image.manifest.size()))
        .file(blob_name(image.digest), image.manifest)
        .file(blob_name(image.layers[0].digest), test::bytes_of(*image.layers[0].content));
    if (config) builder.file(blob_name(image.config_digest), image.config);
    if (!config) builder.file(blob_name(image.layers[1].digest), test::bytes_of(*image.layers[1].content));
    Result<ImportPlan> plan = importing.plan_of(builder.bytes());
    ASSERT_FALSE(plan);
    EXPECT_TRUE(plan.error().is(Errc::missing_content)) << plan.error().context();
    EXPECT_NE(plan.error().context().find(blob_name(missing) + ", which is not there"), std::string::npos)
        << plan.error().context();
  };
  refused(true, image.layers[1].digest);
  refused(false, image.config_digest);
}

TEST(ImportPlan, LeavesOutLayersThatAreNotCompressedAndTheManifestMadeForThem) {
  Importing importing;
  const test::SampleLayer plain = test::tar_layer("etc/motd", "hello");
  const test::SampleImage image = test::make_image({.layers = {plain, test::gzip_layer("a", "b")}});
  Result<ImportPlan> plan = importing.plan_of(archive_of(image));
  ASSERT_TRUE(plan) << plan.error().context();
  EXPECT_EQ(digests_of(*plan), sorted({image.config_digest, image.layers[1].digest}));
  EXPECT_EQ(plan->uncompressed, std::vector<std::string>{blob_name(plain.digest)});
  ASSERT_EQ(plan->images.size(), 1u);
  EXPECT_FALSE(plan->images[0].manifest);
  EXPECT_EQ(plan->images[0].digest, image.config_digest);
}

TEST(ImportPlan, OfDockerSaveTakesTheCompressedLayersUnderTheirDigests) {
  Importing importing;
  const test::SampleImage image =
      test::make_image({.layers = {test::gzip_layer("a", "one"), test::tar_layer("b", "two")}});
  const std::string first = test::bytes_of(*image.layers[0].content);
  TarBuilder builder;
  builder.file("x/layer.tar", first)
      .file("y/layer.tar", test::bytes_of(*image.layers[1].content))
      .file("config.json", image.config)
      .file("manifest.json", docker_manifest("./config.json", R"("x/layer.tar","y/layer.tar","x/layer.tar")"));
  Result<ImportPlan> plan = importing.plan_of(builder.bytes());
  ASSERT_TRUE(plan) << plan.error().context();
  EXPECT_EQ(digests_of(*plan), sorted({image.config_digest, image.layers[0].digest}));
  EXPECT_EQ(plan->uncompressed, std::vector<std::string>{"y/layer.tar"});
  EXPECT_EQ(plan->images[0].platform, "linux/amd64");
  EXPECT_EQ(importing.hashed, importing.whole);
}

}  // namespace
}  // namespace regfs::import_plan_test
