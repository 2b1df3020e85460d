// SPDX-License-Identifier: MIT
// Anonymous tokens, and what is never told to another host.
#include <algorithm>

#include "tests/mount/mount_fixture.h"

namespace regfs::test::auth_test {
namespace {

class AuthTest : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (IsSkipped()) return;
    registry_.push("acme/api", "latest", image_);
    registry_.push("other", "latest", image_);
    registry_.require_token();
  }

  const SampleImage image_ = make_image({.layers = {seeded_layer(1, 3 << 20), seeded_layer(2, 70'000)}});
};

TEST_F(AuthTest, ATokenIsFetchedForAnonymousReaders) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(
      same_bytes(read_file(tar_of(mount, "acme/api", "latest")).bytes, model_of(image_, "acme/api", "latest").bytes()));
  EXPECT_LE(registry_.journal().count("GET", "/token"), 3u) << "one for each scope, not one for each request";
}

TEST_F(AuthTest, ATokenOfOneRepositoryIsNotUsedForAnother) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(list_directory(mount / registry_.host() / "acme" / "api").names, std::vector<std::string>{"latest"});
  EXPECT_EQ(list_directory(mount / registry_.host() / "other").names, std::vector<std::string>{"latest"});
}

TEST_F(AuthTest, ARedirectToAnotherHostIsFollowedWithoutTheToken) {
  FakeRegistry store;
  store.push("acme/api", "latest", image_);
  registry_.redirect_blobs_to(store.host());
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(
      same_bytes(read_file(tar_of(mount, "acme/api", "latest")).bytes, model_of(image_, "acme/api", "latest").bytes()));
  const std::vector<JournalEntry> asked = store.journal().entries();
  EXPECT_FALSE(asked.empty());
  EXPECT_TRUE(std::none_of(asked.begin(), asked.end(), [](const JournalEntry& entry) { return entry.authorized; }));
}

TEST_F(AuthTest, TheLogHoldsNoToken) {
  const MountedRegfs mount({.arguments = {"--log-level", "debug"}});
  REGFS_ASSERT_MOUNTED(mount);
  ASSERT_EQ(read_file(tar_of(mount, "acme/api", "latest")).error, 0);
  EXPECT_EQ(mount.log().find("token-for-"), std::string::npos);
}

TEST_F(AuthTest, ARedirectThatNeverEndsIsAnError) {
  registry_.redirect_blobs_to(registry_.host());
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(list_directory(mount / registry_.host() / "other" / "latest").error, EIO);
}

}  // namespace
}  // namespace regfs::test::auth_test
