// SPDX-License-Identifier: MIT
// What the mount has agreed with the kernel: told in the log, and so in force.
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include <fstream>

#include "tests/mount/mount_fixture.h"

namespace regfs::test::fuse_settings_test {
namespace {

constexpr std::chrono::seconds kSoon{20};

// The control files of FUSE, mounted for this test: they need not be where they usually are.
class FuseControl {
 public:
  FuseControl() : mounted_(::mount("none", directory_.path().c_str(), "fusectl", 0, nullptr) == 0) {}
  ~FuseControl() {
    if (mounted_) ::umount2(directory_.path().c_str(), MNT_DETACH);
  }
  FuseControl(const FuseControl&) = delete;
  FuseControl& operator=(const FuseControl&) = delete;

  bool mounted() const { return mounted_; }
  // 0 when there is no such number.
  unsigned read(dev_t device, const std::string& name) const {
    std::ifstream file(directory_ / std::to_string(minor(device)) + "/" + name);  // it cannot be read by position
    unsigned value = 0;
    file >> value;
    return value;
  }

 private:
  const TempDir directory_;
  const bool mounted_;
};

class FuseSettings : public MountTest {};

TEST_F(FuseSettings, AreOneLineOfTheLogWhenItTellsEverything) {
  const MountedRegfs mount({.arguments = {"--log-level", "debug"}});
  REGFS_ASSERT_MOUNTED(mount);
  ASSERT_TRUE(eventually(kSoon, [&] { return mount.log().find("workers") != std::string::npos; })) << mount.log();
  const std::string log = mount.log();
  const size_t begin = log.find("FUSE 7.");
  ASSERT_NE(begin, std::string::npos) << log;
  const std::string line = log.substr(begin, log.find('\n', begin) - begin);
  for (const char* const setting :
       {"max_background 65535", "congestion_threshold 65535", "max_readahead ", "max_read unlimited",
        "max_write 1048576", "async_read on", "readdirplus auto", "keep_cache on", "splice off", "workers 6"}) {
    EXPECT_TRUE(contains(line, setting));
  }
  EXPECT_EQ(log.find("FUSE 7.", begin + 1), std::string::npos) << "it is told once";
}

TEST_F(FuseSettings, AreNotToldOtherwise) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  ASSERT_TRUE(eventually(kSoon, [&] { return mount.log().find("mounted") != std::string::npos; }));
  EXPECT_EQ(mount.stop(), 0);
  EXPECT_EQ(mount.log().find("max_background"), std::string::npos) << mount.log();
}

TEST_F(FuseSettings, LetThousandsOfReadsWait) {
  const FuseControl control;
  if (!control.mounted()) GTEST_SKIP() << "fusectl cannot be mounted here";
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const auto root = stat_of(mount.mountpoint());
  ASSERT_TRUE(root);
  EXPECT_EQ(control.read(root->st_dev, "max_background"), 65535u);
  EXPECT_EQ(control.read(root->st_dev, "congestion_threshold"), 65535u);
}

}  // namespace
}  // namespace regfs::test::fuse_settings_test
