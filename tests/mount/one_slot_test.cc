// SPDX-License-Identifier: MIT
// The engine holds: one request at a time for an image of forty layers, read in any order, is slow at
// worst and never a deadlock.
#include <algorithm>
#include <random>

#include "tests/mount/mount_fixture.h"

namespace regfs::test::one_slot_test {
namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;
constexpr uint64_t kPiece = 48 * kKiB;  // no divisor of anything
constexpr uint64_t kLayers = 40;

// Withheld whole up to 1 MiB, in part above; some end in a page of the next.
SampleImage forty_layers() {
  ImageRecipe recipe;
  for (uint64_t layer = 0; layer < kLayers; ++layer) {
    const uint64_t size_bytes = layer % 8 == 5 ? kMiB + 300 * kKiB + layer : 1 + layer * 11'000;
    recipe.layers.push_back(seeded_layer(layer + 1, size_bytes));
  }
  return make_image(recipe);
}

class OneSlot : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (!IsSkipped()) registry_.push("app", "latest", image_);
  }

  std::vector<uint64_t> pieces() const {
    std::vector<uint64_t> offsets;
    for (uint64_t at = 0; at < model_of(image_, "app", "latest").size_bytes(); at += kPiece) offsets.push_back(at);
    return offsets;
  }

  // A deadlock is an ETIMEDOUT here.
  void read_in_this_order(const std::vector<uint64_t>& offsets) {
    const ArchiveModel model = model_of(image_, "app", "latest");
    const MountedRegfs mount({.arguments = {"--max-concurrent-downloads", "1", "--read-timeout", "15"}});
    REGFS_ASSERT_MOUNTED(mount);
    const OpenOutcome file = open_file(tar_of(mount, "app", "latest"));
    ASSERT_EQ(file.error, 0);
    for (const uint64_t offset : offsets) {
      const ReadOutcome got = read_at(file.fd.get(), offset, kPiece);
      ASSERT_EQ(got.error, 0) << "at " << offset << "\n" << mount.log();
      ASSERT_TRUE(same_bytes(got.bytes, model.read(offset, kPiece))) << "at " << offset;
    }
  }

  const SampleImage image_ = forty_layers();
};

TEST_F(OneSlot, ReadsFortyLayersInSequence) {
  read_in_this_order(pieces());
}

TEST_F(OneSlot, ReadsFortyLayersInReverse) {
  std::vector<uint64_t> offsets = pieces();
  std::reverse(offsets.begin(), offsets.end());
  read_in_this_order(offsets);
}

TEST_F(OneSlot, ReadsFortyLayersInRandomOrder) {
  for (const uint32_t seed : {1u, 2u}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::vector<uint64_t> offsets = pieces();
    std::mt19937 random(seed);
    std::shuffle(offsets.begin(), offsets.end(), random);
    read_in_this_order(offsets);
  }
}

}  // namespace
}  // namespace regfs::test::one_slot_test
