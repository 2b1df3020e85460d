// SPDX-License-Identifier: MIT
// Starting and ending: words, a real exit code, and no mount left behind. What stands in the way of a mount
// is in faults_startup_test.cc.
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "tests/mount/startup_fixture.h"

namespace regfs::test::startup_test {
namespace {

using std::chrono::seconds;

using StartupTest = StartupWorld;

TEST_F(StartupTest, RefusesWrongWords) {
  expect_refusal({"--frobnicate", mountpoint_}, {"--frobnicate"});
  expect_refusal({"-f", "-o", "frobnicate=1", mountpoint_}, {"frobnicate"});
  expect_refusal({"-f", "--tag-ttl", "soon", mountpoint_}, {"tag-ttl"});
  expect_refusal({"-f", "--tag-ttl", "-5", mountpoint_}, {"tag-ttl"});
  expect_refusal({"-f", "--log-level", "loud", mountpoint_}, {"log-level"});
  expect_refusal({"-f", "--max-concurrent-downloads", "0", mountpoint_}, {"max-concurrent-downloads"});
  expect_refusal({}, {"help"});
  expect_refusal({"-f", "one.example", mountpoint_, "three"}, {});
  EXPECT_EQ(mounted_type(mountpoint_), "");
}

TEST_F(StartupTest, AWrongWordWithControlCharactersDoesNotReachTheTerminalAsTheyAre) {
  expect_refusal({"--frob\x1b[2J", mountpoint_}, {"--frob\\x1b[2J"});
}

TEST_F(StartupTest, RefusesACacheThatCannotBeMade) {
  std::ofstream(scratch_ / "file") << "x";
  expect_refusal({"-f", "--cache-dir", scratch_ / "file", mountpoint_}, {scratch_ / "file"});
}

TEST_F(StartupTest, MountsOverADirectoryThatIsNotEmpty) {
  std::ofstream(mountpoint_ + "/FILE") << "x";  // upper case: no name of the mount
  const MountedRegfs mount({.mountpoint = mountpoint_});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_FALSE(exists(mount / "FILE"));
}

TEST_F(StartupTest, SaysItsVersionAndItsHelpOnOneScreen) {
  const Finished help = run({regfs_program(), "--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_TRUE(contains(help.output, "--cache-dir"));
  EXPECT_TRUE(contains(help.output, "--insecure-registry"));
  EXPECT_LE(std::count(help.output.begin(), help.output.end(), '\n'), 40);
  const Finished version = run({regfs_program(), "--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_TRUE(version.output.starts_with("regfs ")) << version.output;
}

TEST_F(StartupTest, TakesItsOptionsBehindMinusOAsMountGivesThem) {
  const MountedRegfs mount(
      {.arguments = {"-o", "ro,dev,suid,tag_ttl=5,tag-ttl=7,x-systemd.automount"}, .host = registry_.host()});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(stat_error(mount / "app" / "latest" / "linux-amd64.tar"), 0);
}

TEST_F(StartupTest, EndsWithSuccessOnASignalThatAsks) {
  for (const int signal : {SIGTERM, SIGINT}) {
    MountedRegfs mount;
    REGFS_ASSERT_MOUNTED(mount);
    ASSERT_EQ(stat_error(tar_of(mount, "app", "latest")), 0);
    mount.process().send(signal);
    EXPECT_EQ(mount.process().wait(seconds(5)), 0) << mount.log();
    EXPECT_EQ(mounted_type(mount.mountpoint()), "");
  }
}

TEST_F(StartupTest, GoesOnAfterSignalsThatMeanNothingToIt) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const int signal : {SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE}) mount.process().send(signal);
  EXPECT_EQ(stat_error(mount / registry_.host()), 0);
  mount.process().send(SIGTERM);
  EXPECT_EQ(mount.process().wait(seconds(5)), 0) << "those before it did not end it";
}

TEST_F(StartupTest, EndsWhenItIsUnmounted) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  ASSERT_EQ(stat_error(tar_of(mount, "app", "latest")), 0);
  EXPECT_EQ(run({"fusermount3", "-u", mount.mountpoint()}).status, 0);
  EXPECT_EQ(mount.process().wait(seconds(10)), 0) << mount.log();
}

TEST_F(StartupTest, TheDaemonsParentSaysThatItFailed) {
  ASSERT_EQ(::mount("none", mountpoint_.c_str(), "tmpfs", 0, nullptr), 0);
  expect_refusal({"--cache-dir", cache_, mountpoint_}, {mountpoint_});
}

}  // namespace
}  // namespace regfs::test::startup_test
