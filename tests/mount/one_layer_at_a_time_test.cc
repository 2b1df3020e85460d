// SPDX-License-Identifier: MIT
// Readers in the manner of crane: the archive is opened anew for each of its members, which is looked for from the
// first header on, and read alone. With nothing of the program's own idea of where a member stands.
#include <algorithm>
#include <random>

#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "tests/mount/mount_fixture.h"
#include "tests/support/ustar.h"

namespace regfs::test::one_layer_at_a_time_test {
namespace {

constexpr uint64_t kMiB = 1 << 20;

class OneLayerAtATime : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (!IsSkipped()) registry_.push("app", "latest", image_);
  }

  // The bytes of one member of an archive that is opened for it; nothing if it has none of that name.
  static std::optional<std::string> member_of(const std::string& path, const std::string& name) {
    const OpenOutcome file = open_file(path);
    EXPECT_EQ(file.error, 0);
    for (uint64_t at = 0;;) {
      const std::string header = read_at(file.fd.get(), at, kTarBlockBytes).bytes;
      if (header.size() < kTarBlockBytes || header[0] == '\0') return std::nullopt;
      const uint64_t size_bytes = std::stoull(header.substr(124, 11), nullptr, 8);
      if (header.c_str() == name) return read_at(file.fd.get(), at + kTarBlockBytes, size_bytes).bytes;
      at += kTarBlockBytes + padded_to_block(size_bytes);
    }
  }

  static std::vector<std::string> layers_of(const std::string& path) {
    const nlohmann::json manifest = nlohmann::json::parse(member_of(path, "manifest.json").value_or("[]"));
    return manifest.at(0).at("Layers").get<std::vector<std::string>>();
  }

  static void expect_right(const std::string& path, const std::string& name) {
    const std::optional<std::string> bytes = member_of(path, name);
    ASSERT_TRUE(bytes) << name;
    EXPECT_EQ("blobs/sha256/" + sha256_of(*bytes).hex(), name);
  }

  const SampleImage image_ =
      make_image({.layers = {seeded_layer(51, 3 * kMiB + 17), seeded_layer(52, 700), seeded_layer(53, kMiB),
                             seeded_layer(54, 20 * kMiB + 1), seeded_layer(55, 2 * kMiB)}});
};

TEST_F(OneLayerAtATime, TheIndexNamesTheManifestThatNamesTheLayers) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const std::string path = tar_of(mount, "app", "latest");
  const nlohmann::json index = nlohmann::json::parse(member_of(path, "index.json").value_or("{}"));
  const std::string digest = index.at("manifests").at(0).at("digest").get<std::string>();
  const std::string name = "blobs/sha256/" + digest.substr(digest.find(':') + 1);
  expect_right(path, name);
  const nlohmann::json manifest = nlohmann::json::parse(member_of(path, name).value_or("{}"));
  std::vector<std::string> layers;
  for (const nlohmann::json& layer : manifest.at("layers")) {
    const std::string of_layer = layer.at("digest").get<std::string>();
    layers.push_back("blobs/sha256/" + of_layer.substr(of_layer.find(':') + 1));
  }
  ASSERT_EQ(layers.size(), image_.layers.size());
  EXPECT_EQ(layers, layers_of(path));
  for (size_t layer = 0; layer < layers.size(); ++layer) {
    EXPECT_EQ(layers[layer], "blobs/sha256/" + image_.layers[layer].digest.hex());
  }
}

TEST_F(OneLayerAtATime, EachLayerIsRightInAnyOrderColdAndCached) {
  constexpr uint32_t kOrders = 4;  // as listed, from the last, and two shuffled ones
  for (uint32_t order = 0; order < kOrders; ++order) {
    const MountedRegfs mount;
    REGFS_ASSERT_MOUNTED(mount);
    const std::string path = tar_of(mount, "app", "latest");
    std::vector<std::string> layers = layers_of(path);
    ASSERT_EQ(layers.size(), image_.layers.size()) << mount.log();
    if (order == 1) std::reverse(layers.begin(), layers.end());
    if (order > 1) std::shuffle(layers.begin(), layers.end(), std::mt19937(order));
    for (const std::string& layer : layers) expect_right(path, layer);
    for (const std::string& layer : layers) expect_right(path, layer);
  }
}

}  // namespace
}  // namespace regfs::test::one_layer_at_a_time_test
