// SPDX-License-Identifier: MIT
// The engine holds: two hundred reads parked on four dead repositories are in nobody's way, however few
// requests are allowed at once.
#include "tests/mount/mount_fixture.h"
#include "tests/mount/parked_readers.h"

namespace regfs::test::dead_repositories_test {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr uint64_t kMiB = 1 << 20;
constexpr int kRepositories = 4;
constexpr int kReadersOfEach = 50;
constexpr seconds kSoon{20};
constexpr seconds kFast{2};  // generous: what is measured is milliseconds, or for ever

class DeadRepositories : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (IsSkipped()) return;
    registry_.push("cached", "latest", cached_);
    registry_.push("fresh", "latest", fresh_);
    for (int dead = 0; dead < kRepositories; ++dead) {
      layers_.push_back(seeded_layer(10 + static_cast<uint64_t>(dead), (kReadersOfEach + 1) * kMiB));
      images_.push_back(make_image({.layers = {layers_.back()}}));
      registry_.push(name(dead), "latest", images_.back());
    }
  }

  static std::string name(int dead) { return "dead" + std::to_string(dead); }
  std::string path_of(int dead) const {
    return FakeRegistry::blob_path(name(dead), layers_[static_cast<size_t>(dead)].digest);
  }

  testing::AssertionResult reads(const MountedRegfs& mount, const std::string& repository, const SampleImage& image,
                                 seconds at_most) const {
    const auto begin = steady_clock::now();
    const TempDir scratch;
    // A program of its own: should it be parked as well, the test still ends.
    ChildProcess sum({"sha256sum", tar_of(mount, repository, "latest")}, {.standard = scratch / "sum"});
    const auto status = sum.wait(at_most);
    if (status != 0) return testing::AssertionFailure() << repository << " cannot be read\n" << mount.log();
    if (!text_file(scratch / "sum").starts_with(model_of(image, repository, "latest").digest().hex())) {
      return testing::AssertionFailure() << repository << " has other bytes";
    }
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begin);
    return testing::AssertionSuccess() << repository << " took " << took.count() << " ms";
  }

  void hold_against_two_hundred(const std::vector<std::string>& arguments) {
    const MountedRegfs mount({.arguments = arguments});
    REGFS_ASSERT_MOUNTED(mount);
    ASSERT_TRUE(reads(mount, "cached", cached_, kSoon));
    ASSERT_EQ(stat_error(tar_of(mount, "fresh", "latest")), 0);

    std::vector<std::unique_ptr<ParkedReaders>> readers;
    for (int dead = 0; dead < kRepositories; ++dead) {
      registry_.break_path(path_of(dead), stalls_at(0));
      readers.push_back(std::make_unique<ParkedReaders>());
      const uint64_t layer = model_of(images_[static_cast<size_t>(dead)], name(dead), "latest")
                                 .member(layers_[static_cast<size_t>(dead)])
                                 .offset;
      for (uint64_t reader = 0; reader < kReadersOfEach; ++reader) {
        readers.back()->add_page(tar_of(mount, name(dead), "latest"), layer + reader * kMiB);
      }
    }
    for (const auto& group : readers) ASSERT_TRUE(group->all_parked(kSoon)) << mount.log();

    const MountPath host = mount / registry_.host();
    ChildProcess ls({"ls", "-l", host / "cached", host / "dead0", host / "dead1" / "latest"}, {});
    EXPECT_EQ(ls.wait(kFast), 0);
    EXPECT_TRUE(reads(mount, "cached", cached_, kFast));
    EXPECT_TRUE(reads(mount, "fresh", fresh_, kSoon));
    for (const auto& group : readers) EXPECT_TRUE(group->all_parked(kFast)) << "the dead ones are not dead";

    for (int dead = 0; dead < kRepositories; ++dead) registry_.mend(path_of(dead));
    for (int dead = 0; dead < kRepositories; ++dead) {
      const ArchiveModel model = model_of(images_[static_cast<size_t>(dead)], name(dead), "latest");
      EXPECT_TRUE(readers[static_cast<size_t>(dead)]->end_well(model, 2 * kSoon)) << name(dead) << "\n" << mount.log();
    }
  }

  const SampleImage cached_ = make_image({.layers = {seeded_layer(1, 5 * kMiB), seeded_layer(2, 10'000)}});
  const SampleImage fresh_ = make_image({.layers = {seeded_layer(3, 3 * kMiB), seeded_layer(4, 2 * kMiB)}});
  std::vector<SampleLayer> layers_;
  std::vector<SampleImage> images_;
};

TEST_F(DeadRepositories, F4_TwoHundredReadersOfFourOfThemLeaveAGoodOneUnharmed) {
  hold_against_two_hundred({});
}

TEST_F(DeadRepositories, F4_TwoHundredReadersOfFourOfThemLeaveAGoodOneUnharmedWithOneRequestEach) {
  hold_against_two_hundred({"--max-concurrent-downloads", "1"});
}

}  // namespace
}  // namespace regfs::test::dead_repositories_test
