// SPDX-License-Identifier: MIT
// One image of each registry that the README names, as that registry speaks.
#include <algorithm>
#include <fstream>

#include "tests/mount/mount_fixture.h"
#include "tests/support/registry_imitation.h"

namespace regfs::test {
namespace {

class Registries : public testing::TestWithParam<RegistryProfile> {
 protected:
  void SetUp() override {
    if (const std::string reason = why_no_mounts(); !reason.empty()) GTEST_SKIP() << reason;
    registry_.push("team/app", "v1", image_);
    registry_.list_tags(tags_);
    std::ofstream(scratch_ / "config.json")
        << R"({"auths": {")" << (GetParam().token_path.empty() ? registry_.host() : "other.example")
        << R"(": {"auth": "QVdTOnR3ZWx2ZS1ob3Vycw=="}}})";
  }
  MountSpec spec() const { return {.environment = {"DOCKER_CONFIG=" + scratch_.path()}}; }

  const SampleImage image_ = make_image({.layers = {seeded_layer(1, 20 << 20), seeded_layer(2, 70'000)}});
  const std::vector<std::string> tags_{"v1", "v2", "v3", "v4", "v5", "v6", "v7"};
  RegistryImitation registry_{GetParam()};
  const TempDir scratch_;
};

TEST_P(Registries, ListTheirTagsAndGiveAnImageByteForByte) {
  const MountedRegfs mount(spec());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(list_directory(mount / registry_.host() / "team/app").names, tags_) << mount.log();
  const ReadOutcome got = read_file(mount / registry_.host() / "team/app" / "v1" / "linux-amd64.tar");
  EXPECT_EQ(got.error, 0) << mount.log();
  EXPECT_TRUE(same_bytes(got.bytes, ArchiveModel(image_, registry_.host(), "team/app", "v1").bytes()));
  EXPECT_EQ(registry_.complaints(), std::vector<std::string>{});
  EXPECT_LE(registry_.token_requests(), 2u) << "one for each scope";
}

std::string test_name(const testing::TestParamInfo<RegistryProfile>& of) {
  std::string name = of.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Of, Registries, testing::ValuesIn(registry_profiles()), test_name);

}  // namespace
}  // namespace regfs::test
