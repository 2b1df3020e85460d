// SPDX-License-Identifier: MIT
// Faults of starting: whatever stands in the way of a mount is one sentence in time, and none is started
// that would wait for itself.
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/mount/startup_fixture.h"
#include "tests/support/process_facts.h"

namespace regfs::test::faults_startup_test {
namespace {

using std::chrono::seconds;

constexpr seconds kSoon{20};

// The line of a mount in mountinfo.
std::string mount_line(const std::string& mountpoint) {
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    if (line.find(" " + mountpoint + " ") != std::string::npos) return line;
  }
  return {};
}

class StartupFaults : public StartupWorld {
 protected:
  std::vector<std::string> mounting(bool foreground, const std::string& mountpoint) const {
    std::vector<std::string> arguments{"--cache-dir", cache_, mountpoint};
    if (foreground) arguments.insert(arguments.begin(), "-f");
    return arguments;
  }
};

TEST_F(StartupFaults, F14_ADeadMountIsClearedWithOneLine) {
  MountedRegfs dead({.mountpoint = mountpoint_});
  REGFS_ASSERT_MOUNTED(dead);
  dead.kill();
  ASSERT_EQ(list_directory(mountpoint_).error, ENOTCONN) << "a stat may be answered from the memory of the kernel";
  const MountedRegfs mount({.mountpoint = mountpoint_});
  // Until it is cleared the dead one looks mounted.
  EXPECT_TRUE(eventually(kSoon, [&] { return stat_error(tar_of(mount, "app", "latest")) == 0; })) << mount.log();
  EXPECT_TRUE(contains(mount.log(), mountpoint_));
}

TEST_F(StartupFaults, F15_AMountpointThatIsMissingOrAFileIsRefused) {
  std::ofstream(scratch_ / "file") << "x";
  for (const bool foreground : {true, false}) {
    expect_refusal(mounting(foreground, scratch_ / "file"), {scratch_ / "file", "not a directory"});
    expect_refusal(mounting(foreground, scratch_ / "missing"), {scratch_ / "missing", "mkdir -p"});
  }
}

TEST_F(StartupFaults, F15_AMountpointThatItsUserMayNotWriteIsRefused) {
  if (const std::string reason = let_nobody_in(); !reason.empty()) GTEST_SKIP() << reason;
  std::vector<std::string> command{regfs_program()};
  for (const std::string& word : mounting(true, mountpoint_)) command.push_back(word);
  expect_refusal_of(as_nobody(command), {mountpoint_, "not writable"});
}

TEST_F(StartupFaults, F15_AMachineWithoutFusermountIsRefusedToAnOrdinaryUser) {
  if (const std::string reason = let_nobody_in(); !reason.empty()) GTEST_SKIP() << reason;
  ASSERT_EQ(::chown(mountpoint_.c_str(), 65534, 65534), 0);
  // A /dev that everybody may use, and a /usr/bin in which a whiteout hides the program.
  const std::string prepared =
      "mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && mknod -m 666 /dev/urandom c 1 9 && "
      "mknod -m 666 /dev/fuse c 10 229 && mount -t tmpfs none /mnt && mkdir /mnt/upper /mnt/work && "
      "mknod /mnt/upper/fusermount3 c 0 0 && "
      "mount -t overlay none -o lowerdir=/usr/bin,upperdir=/mnt/upper,workdir=/mnt/work /usr/bin";
  const std::vector<std::string> shell{"unshare", "-m", "sh", "-c"};
  std::vector<std::string> probe = shell;
  probe.push_back(prepared);
  if (run(probe).status != 0) GTEST_SKIP() << "no program can be hidden here";
  for (const bool foreground : {true, false}) {
    std::vector<std::string> command = shell;
    command.insert(command.end(), {prepared + " && exec \"$0\" \"$@\""});
    std::vector<std::string> regfs{regfs_program()};
    for (const std::string& word : mounting(foreground, mountpoint_)) regfs.push_back(word);
    for (const std::string& word : as_nobody(regfs)) command.push_back(word);
    expect_refusal_of(command, {"fusermount3", "fuse3"});
  }
}

TEST_F(StartupFaults, F15_AMachineWithoutFuseIsRefused) {
  // A /dev of its own, which has no fuse.
  const std::string script =
      "mount -t tmpfs none /dev && mknod /dev/null c 1 3 && mknod /dev/urandom c 1 9 && exec \"$0\" \"$@\"";
  for (const bool foreground : {true, false}) {
    std::vector<std::string> command{"unshare", "-m", "sh", "-c", script, regfs_program()};
    for (const std::string& word : mounting(foreground, mountpoint_)) command.push_back(word);
    expect_refusal_of(command, {"/dev/fuse", "modprobe fuse"});
  }
}

TEST_F(StartupFaults, F16_ASecondMountOnOneMountpointIsRefused) {
  const MountedRegfs mount({.mountpoint = mountpoint_});
  REGFS_ASSERT_MOUNTED(mount);
  expect_refusal(mounting(true, mountpoint_), {mountpoint_, "already mounted"});
  expect_refusal(mounting(false, mountpoint_), {mountpoint_, "already mounted"});
  EXPECT_TRUE(same_bytes(read_file(tar_of(mount, "app", "latest")).bytes, model_of(image_, "app", "latest").bytes()));
}

TEST_F(StartupFaults, F16_AMountpointOfAnotherFilesystemIsRefused) {
  ASSERT_EQ(::mount("none", mountpoint_.c_str(), "tmpfs", 0, nullptr), 0);
  expect_refusal(mounting(true, mountpoint_), {mountpoint_, "tmpfs"});
  EXPECT_EQ(mounted_type(mountpoint_), "tmpfs");
}

TEST_F(StartupFaults, F18_ACacheInsideOfItsOwnMountIsRefused) {
  expect_refusal({"-f", "--cache-dir", mountpoint_ + "/cache", mountpoint_}, {mountpoint_, "--cache-dir"});
  std::filesystem::create_directory_symlink(mountpoint_, scratch_ / "link");
  expect_refusal({"-f", "--cache-dir", scratch_ / "link/cache", mountpoint_}, {mountpoint_, "--cache-dir"});
}

TEST_F(StartupFaults, F18_CredentialsInsideOfTheMountThatNeedsThemAreRefused) {
  std::ofstream(mountpoint_ + "/auth.json") << "{}";
  expect_refusal({"-f", "--cache-dir", cache_, "--authfile", mountpoint_ + "/auth.json", mountpoint_},
                 {mountpoint_ + "/auth.json", "--authfile"});
}

// It makes no temporary files, so TMPDIR leads nowhere.
TEST_F(StartupFaults, F18_ALogFileInsideOfItsOwnMountIsRefused) {
  std::filesystem::create_directory_symlink(mountpoint_, scratch_ / "link");
  for (const std::string& directory : {mountpoint_, scratch_ / "link"}) {
    for (const bool foreground : {true, false}) {
      std::vector<std::string> arguments = mounting(foreground, mountpoint_);
      arguments.insert(arguments.begin(), {"--log-file", directory + "/log"});
      expect_refusal(arguments, {mountpoint_ + "/log", "--log-file"});
    }
  }
  EXPECT_FALSE(exists(mountpoint_ + "/log"));
}

// Threads do not survive a fork: made before it, they would leave a daemon that answers nothing.
TEST_F(StartupFaults, F19_TheDaemonServesAndEndsAsItDoesInTheForeground) {
  adopt_orphans();
  const std::string log = scratch_ / "daemon.log";
  const Finished parent =
      run({regfs_program(), "--cache-dir", cache_, "--log-file", log, registry_.host(), mountpoint_});
  ASSERT_EQ(parent.status, 0) << parent.error;
  EXPECT_EQ(mounted_type(mountpoint_), "fuse.regfs") << "its parent returns when the mount answers";
  EXPECT_EQ(stat_error(mountpoint_ + "/app/latest/linux-amd64.tar"), 0) << text_file(log);
  EXPECT_EQ(parent.output + parent.error, "");

  const std::vector<pid_t> daemons = children_with(mountpoint_);
  ASSERT_EQ(daemons.size(), 1u);
  ChildProcess daemon(daemons.front());
  EXPECT_TRUE(same_bytes(read_file(mountpoint_ + "/app/latest/linux-amd64.tar").bytes,
                         model_of(image_, "app", "latest").bytes()));
  for (const Descriptor& each : descriptors_of(daemon.pid())) {
    EXPECT_TRUE(each.number <= STDERR_FILENO || each.closes_on_exec) << each.number << " " << each.target;
  }
  daemon.send(SIGTERM);
  EXPECT_EQ(daemon.wait(seconds(5)), 0) << text_file(log);
  EXPECT_EQ(mounted_type(mountpoint_), "");
}

TEST_F(StartupFaults, F20_OtherUsersMayReadWithAllowOtherOnlyAndTheKernelChecksPermissionsThen) {
  if (const std::string reason = let_nobody_in(); !reason.empty()) GTEST_SKIP() << reason;
  {
    const MountedRegfs mount({.mountpoint = mountpoint_});
    REGFS_ASSERT_MOUNTED(mount);
    EXPECT_EQ(mount_line(mountpoint_).find("allow_other"), std::string::npos);
    const Finished read = run(as_nobody({"sha256sum", tar_of(mount, "app", "latest")}));
    EXPECT_NE(read.status, 0);
    EXPECT_TRUE(contains(read.error, "Permission denied"));
    EXPECT_EQ(registry_.journal().entries().size(), 0u);
  }
  const MountedRegfs mount({.arguments = {"--allow-other"}, .mountpoint = mountpoint_});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(contains(mount_line(mountpoint_), "allow_other"));
  EXPECT_TRUE(contains(mount_line(mountpoint_), "default_permissions"));
  const Finished read = run(as_nobody({"sha256sum", tar_of(mount, "app", "latest")}));
  EXPECT_EQ(read.status, 0) << read.error;
  EXPECT_TRUE(read.output.starts_with(model_of(image_, "app", "latest").digest().hex())) << read.output;
}

}  // namespace
}  // namespace regfs::test::faults_startup_test
