// SPDX-License-Identifier: MIT
#include "fs/image_archive.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "tests/fs/archive_bytes.h"
#include "tests/fs/gnu_tar.h"
#include "tests/support/temp_dir.h"

namespace regfs::fs::image_archive_test {
namespace {

using Json = nlohmann::json;
using test::archive_bytes;

const std::string kLayerBase = "the base layer, 700 bytes: " + std::string(673, 'b');
const std::string kLayerTop = "the top layer";

registry::Descriptor descriptor_of(const std::string& bytes, std::string media_type) {
  return {std::move(media_type), sha256_of(bytes), bytes.size(), {}};
}

registry::Descriptor layer_of(const std::string& bytes) {
  return descriptor_of(bytes, "application/vnd.oci.image.layer.v1.tar+gzip");
}

ResolvedImage image_with(std::vector<registry::Descriptor> layers, std::string config_bytes = "{\"the\":\"config\"}") {
  const std::string manifest_bytes = "{ \"the\": \"manifest\" }\n";
  registry::Manifest manifest{std::string(registry::kOciManifest),
                              descriptor_of(config_bytes, "application/vnd.oci.image.config.v1+json"),
                              std::move(layers)};
  return {.repository = {"docker.io", "library/nginx"},
          .tag = "1.27",
          .manifest_digest = sha256_of(manifest_bytes),
          .manifest_media_type = std::string(registry::kOciManifest),
          .manifest_bytes = manifest_bytes,
          .config_bytes = std::move(config_bytes),
          .manifest = std::move(manifest),
          .config = {.platform = {"linux", "arm", "v7", ""}, .created_seconds = 0, .diff_ids = 2}};
}

ResolvedImage small_image() {
  return image_with({layer_of(kLayerBase), layer_of(kLayerTop)});
}

std::string small_archive() {
  return archive_bytes(image_archive(small_image()).layout, {kLayerBase, kLayerTop});
}

std::string blob_path(const std::string& bytes) {
  return "blobs/sha256/" + sha256_of(bytes).hex();
}

// How often a member of that name stands in the archive.
size_t members_named(const std::string& archive, const std::string& name) {
  size_t found = 0;
  for (size_t at = 0; at < archive.size(); at += 512) {
    if (std::string(archive.c_str() + at) == name) ++found;
  }
  return found;
}

TEST(ImageArchive, ReplacesWhatIsNoUtf8) {
  ResolvedImage image = small_image();
  image.manifest_media_type = "application/\xff\"x";
  image.config.platform.variant = "\xc3";
  Json descriptor = Json::parse(index_json(image)).at("manifests").at(0);
  EXPECT_EQ(descriptor.at("mediaType"), "application/\xef\xbf\xbd\"x");
  EXPECT_EQ(descriptor.at("platform").at("variant"), "\xef\xbf\xbd");
}

TEST(ImageArchive, LeavesOutHalfAPlatform) {
  ResolvedImage image = small_image();
  image.config.platform.architecture.clear();
  EXPECT_FALSE(Json::parse(index_json(image)).at("manifests").at(0).contains("platform"));
}

TEST(ImageArchive, HoldsARepeatedLayerOnceAndListsItTwice) {
  ImageArchive archive =
      image_archive(image_with({layer_of(kLayerBase), layer_of(kLayerTop), layer_of(kLayerBase), layer_of(kLayerTop)}));
  ASSERT_EQ(archive.blobs.size(), 2U);
  EXPECT_EQ(archive.blobs[0], layer_of(kLayerBase));
  EXPECT_EQ(archive.blobs[1], layer_of(kLayerTop));
  const std::string bytes = archive_bytes(archive.layout, {kLayerBase, kLayerTop});
  EXPECT_EQ(members_named(bytes, blob_path(kLayerBase)), 1U);
  EXPECT_NE(bytes.find("\"Layers\":[\"" + blob_path(kLayerBase) + "\",\"" + blob_path(kLayerTop) + "\",\"" +
                       blob_path(kLayerBase) + "\",\"" + blob_path(kLayerTop) + "\"]"),
            std::string::npos);
}

TEST(ImageArchive, HoldsALayerThatIsAlsoTheConfigOnce) {
  ImageArchive archive = image_archive(image_with({layer_of(kLayerTop)}, kLayerTop));
  EXPECT_TRUE(archive.blobs.empty());
  const std::string bytes = archive_bytes(archive.layout, {});
  EXPECT_EQ(members_named(bytes, blob_path(kLayerTop)), 1U);
  EXPECT_NE(bytes.find("\"Layers\":[\"" + blob_path(kLayerTop) + "\"]"), std::string::npos);
}

TEST(ImageArchive, HoldsAConfigAndALayerThatAreTheManifestOnce) {
  const std::string manifest_bytes = small_image().manifest_bytes;
  ImageArchive archive = image_archive(image_with({layer_of(manifest_bytes)}, manifest_bytes));
  EXPECT_TRUE(archive.blobs.empty());
  EXPECT_EQ(members_named(archive_bytes(archive.layout, {}), blob_path(manifest_bytes)), 1U);
}

TEST(ImageArchive, WithoutLayersIsStillAnArchive) {
  ImageArchive archive = image_archive(image_with({}));
  EXPECT_TRUE(archive.blobs.empty());
  EXPECT_EQ(Json::parse(docker_manifest_json(image_with({}))).at(0).at("Layers"), Json::array());
}

TEST(ImageArchive, ByDigestHoldsNoNames) {
  ResolvedImage image = small_image();
  image.tag.reset();
  EXPECT_EQ(Json::parse(docker_manifest_json(image)).at(0).at("RepoTags"), Json::array());
  EXPECT_FALSE(Json::parse(index_json(image)).at("manifests").at(0).contains("annotations"));
  EXPECT_EQ(archive_bytes(image_archive(image).layout, {kLayerBase, kLayerTop}).find("nginx"), std::string::npos);
}

TEST(ImageArchive, WritesTheLayoutMarker) {
  EXPECT_EQ(oci_layout_json(), R"({"imageLayoutVersion":"1.0.0"})");
}

TEST(ImageArchive, WritesOneDescriptorIntoTheIndex) {
  EXPECT_EQ(index_json(small_image()),
            R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)"
            R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
                small_image().manifest_digest.str() +
                R"(","size":22,"platform":{"architecture":"arm","os":"linux","variant":"v7"},)"
                R"("annotations":{"io.containerd.image.name":"docker.io/library/nginx:1.27",)"
                R"("org.opencontainers.image.ref.name":"1.27"}}]})");
}

TEST(ImageArchive, KeepsTheOsVersionOfWindows) {
  ResolvedImage image = small_image();
  image.config.platform = {"windows", "amd64", "", "10.0.20348.2849"};
  EXPECT_NE(
      index_json(image).find(R"("platform":{"architecture":"amd64","os":"windows","os.version":"10.0.20348.2849"})"),
      std::string::npos);
}

TEST(ImageArchive, KeepsTheRegistrysMediaType) {
  ResolvedImage image = small_image();
  image.manifest_media_type = registry::kDockerManifest;
  EXPECT_EQ(Json::parse(index_json(image)).at("manifests").at(0).at("mediaType"), registry::kDockerManifest);
}

TEST(ImageArchive, WritesWhatDockerLoadReads) {
  EXPECT_EQ(docker_manifest_json(small_image()), R"([{"Config":")" + blob_path("{\"the\":\"config\"}") +
                                                     R"(","Layers":[")" + blob_path(kLayerBase) + R"(",")" +
                                                     blob_path(kLayerTop) + R"("],"RepoTags":["nginx:1.27"]}])");
}

TEST(ImageArchive, NamesTheHostOfAnyOtherRegistry) {
  ResolvedImage image = small_image();
  image.repository = {"ghcr.io:443", "acme/api"};
  EXPECT_EQ(Json::parse(docker_manifest_json(image)).at(0).at("RepoTags"), Json::array({"ghcr.io:443/acme/api:1.27"}));
  EXPECT_EQ(Json::parse(index_json(image)).at("manifests").at(0).at("annotations").at("io.containerd.image.name"),
            "ghcr.io:443/acme/api:1.27");
}

TEST(ImageArchive, KnowsItsSizeBeforeAnyLayer) {
  ImageArchive archive =
      image_archive(image_with({{"m", sha256_of("a"), 9ull << 30, {}}, {"m", sha256_of("b"), (1ull << 40) - 1, {}}}));
  ImageArchive without = image_archive(image_with({}));
  const uint64_t paths =
      2 * blob_path("a").size() + 5;  // two quoted names and a comma, inside one block of manifest.json
  ASSERT_LT(docker_manifest_json(image_with({})).size() + paths, 512U);
  EXPECT_EQ(archive.layout.size_bytes(), without.layout.size_bytes() + 2 * 512 + (9ull << 30) + (1ull << 40));
}

TEST(ImageArchive, NeverChangesASingleByte) {
  EXPECT_EQ(sha256_of(small_archive()).hex(), "7eed46407aa25777eef3838662330363677f4b5a8bd2f8eea4908e167ada4853");
}

TEST(ImageArchive, IsListedByGnuTarInItsOrder) {
  REGFS_SKIP_WITHOUT_GNU_TAR();
  test::TempDir directory;
  test::write_file(directory / "image.tar", small_archive());
  test::CommandOutput list = test::gnu_tar("--numeric-owner -tvf " + (directory / "image.tar"));
  EXPECT_EQ(list.exit_code, 0);
  const ResolvedImage image = small_image();
  const auto line = [](const std::string& mode, const std::string& size, const std::string& name) {
    return mode + " 0/0" + std::string(16 - size.size(), ' ') + size + " 1970-01-01 00:00 " + name + "\n";
  };
  EXPECT_EQ(list.text, line("-rw-r--r--", "30", "oci-layout") +
                           line("-rw-r--r--", std::to_string(index_json(image).size()), "index.json") +
                           line("-rw-r--r--", std::to_string(docker_manifest_json(image).size()), "manifest.json") +
                           line("drwxr-xr-x", "0", "blobs/") + line("drwxr-xr-x", "0", "blobs/sha256/") +
                           line("-rw-r--r--", "22", blob_path(image.manifest_bytes)) +
                           line("-rw-r--r--", "16", blob_path(image.config_bytes)) +
                           line("-rw-r--r--", "700", blob_path(kLayerBase)) +
                           line("-rw-r--r--", "13", blob_path(kLayerTop)));
}

TEST(ImageArchive, IsUnpackedByGnuTarToTheSameBytes) {
  REGFS_SKIP_WITHOUT_GNU_TAR();
  test::TempDir directory;
  test::write_file(directory / "image.tar", small_archive());
  test::CommandOutput unpacked = test::gnu_tar("-C " + directory.path() + " -xf " + (directory / "image.tar"));
  ASSERT_EQ(unpacked.exit_code, 0) << unpacked.text;
  const ResolvedImage image = small_image();
  for (const std::string& bytes : {image.manifest_bytes, image.config_bytes, kLayerBase, kLayerTop}) {
    EXPECT_EQ(test::read_file(directory / blob_path(bytes)), bytes);
  }
  EXPECT_EQ(test::read_file(directory / "index.json"), index_json(image));
}

}  // namespace
}  // namespace regfs::fs::image_archive_test
