// SPDX-License-Identifier: MIT
// Faults of the daemon and of what surrounds it: its end in any state, its descriptors, its memory.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "tests/mount/mount_fixture.h"
#include "tests/mount/parked_readers.h"
#include "tests/support/process_facts.h"

namespace regfs::test::faults_process_test {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr uint64_t kMiB = 1 << 20;
constexpr int kParked = 40;  // over three times the 12 background requests that a mount has by default
constexpr seconds kSoon{20};
constexpr seconds kFast{2};  // generous: what is measured is milliseconds, or for ever

class ProcessFaults : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (IsSkipped()) return;
    registry_.push("good", "latest", good_);
    registry_.push("slow", "latest", slow_);
    registry_.break_path(slow_path_, stalls_at(0));
  }

  std::string good_tar(const MountedRegfs& mount) const { return tar_of(mount, "good", "latest"); }
  std::string slow_tar(const MountedRegfs& mount) const { return tar_of(mount, "slow", "latest"); }
  // Of that MiB of the slow layer, in its archive.
  uint64_t slow_place(int mebibyte) const {
    return model_of(slow_, "slow", "latest").member(slow_layer_).offset + static_cast<uint64_t>(mebibyte) * kMiB;
  }
  void park(ParkedReaders& readers, const MountedRegfs& mount) const {
    for (int reader = 0; reader < kParked; ++reader) readers.add_page(slow_tar(mount), slow_place(reader));
  }
  testing::AssertionResult reads_well(const MountedRegfs& mount) const {
    return same_bytes(read_file(good_tar(mount)).bytes, model_of(good_, "good", "latest").bytes());
  }

  const SampleImage good_ = make_image({.layers = {seeded_layer(1, 5 * kMiB), seeded_layer(2, 10'000)}});
  const SampleLayer slow_layer_ = seeded_layer(3, (kParked + 4) * kMiB);
  const SampleImage slow_ = make_image({.layers = {slow_layer_}});
  const std::string slow_path_ = FakeRegistry::blob_path("slow", slow_layer_.digest);
};

TEST_F(ProcessFaults, F9_WritersAreToldThatItIsReadOnly) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const std::string file = good_tar(mount);
  const std::string directory = mount / registry_.host() / "good";
  const auto error_of = [](int outcome) { return outcome < 0 ? errno : 0; };
  EXPECT_EQ(error_of(::open(file.c_str(), O_WRONLY | O_CLOEXEC)), EROFS);
  EXPECT_EQ(error_of(::open(file.c_str(), O_RDWR | O_CLOEXEC)), EROFS);
  EXPECT_EQ(error_of(::open((directory + "/new").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644)), EROFS);
  EXPECT_EQ(error_of(::mkdir((directory + "/new").c_str(), 0755)), EROFS);
  EXPECT_EQ(error_of(::unlink(file.c_str())), EROFS);
  EXPECT_EQ(error_of(::rmdir((directory + "/latest").c_str())), EROFS);
  EXPECT_EQ(error_of(::rename(file.c_str(), (file + "2").c_str())), EROFS);
  EXPECT_EQ(error_of(::symlink("x", (directory + "/new").c_str())), EROFS);
  EXPECT_EQ(error_of(::link(file.c_str(), (directory + "/new").c_str())), EROFS);
  EXPECT_EQ(error_of(::chmod(file.c_str(), 0777)), EROFS);
  EXPECT_EQ(error_of(::truncate(file.c_str(), 0)), EROFS);
  EXPECT_EQ(error_of(::setxattr(file.c_str(), "user.x", "1", 1, 0)), EROFS);
}

TEST_F(ProcessFaults, F10_SixtyReadersThatCloseEarlyLeaveNoDescriptorAndNoThread) {
  constexpr int kImages = 60;
  constexpr uint64_t kRead = 1000;
  std::vector<SampleImage> images;
  for (int image = 0; image < 2 * kImages; ++image) {
    images.push_back(make_image({.layers = {unverifiable_layer(100 + static_cast<uint64_t>(image), 8 * kMiB)}}));
    registry_.push("app", "v" + std::to_string(image), images.back());
  }
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const pid_t pid = mount.process().pid();
  const auto read_and_close = [&](int image) {
    const std::string tag = "v" + std::to_string(image);
    const ArchiveModel model = model_of(images[static_cast<size_t>(image)], "app", tag);
    const OpenOutcome file = open_file(tar_of(mount, "app", tag));
    const uint64_t offset = model.member(images[static_cast<size_t>(image)].layers[0]).offset;
    EXPECT_TRUE(same_bytes(read_at(file.fd.get(), offset, kRead, kRead).bytes, model.read(offset, kRead)));
  };
  // The first sixty make what is kept: connections, threads.
  for (int image = 0; image < kImages; ++image) read_and_close(image);
  const std::string cache = mount.cache_directory();
  const auto layers_open = [&] {
    const std::vector<Descriptor> all = descriptors_of(pid);
    return std::count_if(all.begin(), all.end(), [&](const auto& each) { return each.target.starts_with(cache); });
  };
  ASSERT_TRUE(eventually(kSoon, [&] { return layers_open() < kImages / 4; })) << layers_open();
  const size_t descriptors = descriptors_of(pid).size();
  const size_t threads = threads_of(pid);
  ASSERT_GT(descriptors, 3u);
  ASSERT_GT(threads, 3u);
  for (int image = kImages; image < 2 * kImages; ++image) read_and_close(image);
  EXPECT_TRUE(eventually(kSoon, [&] { return descriptors_of(pid).size() <= descriptors; }))
      << descriptors_of(pid).size() << " instead of " << descriptors;
  EXPECT_LE(threads_of(pid), threads);
}

TEST_F(ProcessFaults, F11_TerminatingTheDaemonAnswersParkedReadsAndEndsItWithSuccess) {
  for (const int signal : {SIGTERM, SIGINT}) {
    MountedRegfs mount;
    REGFS_ASSERT_MOUNTED(mount);
    ParkedReaders readers;
    park(readers, mount);
    const OpenOutcome file = open_file(slow_tar(mount));
    ReadingThread reader(file.fd.get(), slow_place(kParked + 1), 4096);
    ASSERT_TRUE(reader.parked());
    ASSERT_TRUE(readers.all_parked()) << mount.log();
    mount.process().send(signal);
    EXPECT_TRUE(eventually(seconds(5), [&] { return reader.ended(); }));
    // ESHUTDOWN fails the kernel's read-ahead; what the kernel then asks by itself may meet the unmount.
    const int error = reader.wait().error;
    EXPECT_TRUE(error == ESHUTDOWN || error == ECONNABORTED || error == ENOTCONN) << error;
    EXPECT_EQ(mount.process().wait(seconds(5)), 0) << mount.log();
    for (size_t each = 0; each < readers.size(); ++each) {
      const auto status = readers[each].wait(kFast);
      ASSERT_TRUE(status) << "a reader is still parked";
      EXPECT_NE(*status, 0);
    }
    EXPECT_EQ(mounted_type(mount.mountpoint()), "");
  }
}

TEST_F(ProcessFaults, F12_ABusyMountIsRefusedToUnmountAndGoesAfterItsLastReaderWhenDetached) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const std::string wanted = model_of(good_, "good", "latest").bytes();
  OpenOutcome file = open_file(good_tar(mount));
  ASSERT_EQ(read_at(file.fd.get(), 0, 4096).error, 0);

  const auto begin = steady_clock::now();
  const Finished busy = run({"fusermount3", "-u", mount.mountpoint()});
  EXPECT_NE(busy.status, 0);
  EXPECT_TRUE(contains(busy.error, "busy"));
  EXPECT_LT(steady_clock::now() - begin, kFast);
  EXPECT_TRUE(reads_well(mount));

  EXPECT_EQ(run({"fusermount3", "-u", "-z", mount.mountpoint()}).status, 0);
  EXPECT_EQ(mounted_type(mount.mountpoint()), "");
  forget_pages(file.fd.get());
  EXPECT_TRUE(same_bytes(read_at(file.fd.get(), 0, UINT64_MAX).bytes, wanted)) << "what is open goes on";
  EXPECT_EQ(process_state(mount.process().pid()), 'S') << "it serves its last reader";
  file.fd.reset();
  EXPECT_EQ(mount.process().wait(seconds(15)), 0) << mount.log();
}

TEST_F(ProcessFaults, F13_AReaderOfAKilledDaemonEndsAtOnceAndNobodyHangs) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  ParkedReaders readers;
  park(readers, mount);
  const OpenOutcome file = open_file(slow_tar(mount));
  ReadingThread reader(file.fd.get(), slow_place(kParked + 1), 4096);
  ASSERT_TRUE(reader.parked());
  ASSERT_TRUE(readers.all_parked());
  mount.kill();
  EXPECT_TRUE(eventually(kFast, [&] { return reader.ended(); }));
  EXPECT_TRUE(reader.wait().error == ENOTCONN || reader.wait().error == ECONNABORTED) << reader.wait().error;
  for (size_t each = 0; each < readers.size(); ++each) {
    EXPECT_TRUE(readers[each].wait(kFast)) << "in state " << process_state(readers[each].pid());
  }
  EXPECT_EQ(list_directory(mount.mountpoint()).error, ENOTCONN);
}

TEST_F(ProcessFaults, F17_NoDescriptorOfTheDaemonOutlivesAnExec) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  ASSERT_TRUE(reads_well(mount));
  const OpenOutcome file = open_file(good_tar(mount));
  forget_pages(file.fd.get());
  ASSERT_EQ(read_at(file.fd.get(), 0, kMiB).error, 0);
  ParkedReaders readers;
  readers.add_page(slow_tar(mount), slow_place(0));
  ASSERT_TRUE(readers.all_parked());
  const std::vector<Descriptor> descriptors = descriptors_of(mount.process().pid());
  const auto some = [&](const auto& which) { return std::any_of(descriptors.begin(), descriptors.end(), which); };
  EXPECT_TRUE(some([](const Descriptor& each) { return each.target == "/dev/fuse"; }));
  EXPECT_TRUE(some([](const Descriptor& each) { return each.is_socket(); }));
  EXPECT_TRUE(some([&](const Descriptor& each) { return each.target.starts_with(mount.cache_directory()); }));
  for (const Descriptor& each : descriptors) {
    EXPECT_TRUE(each.number <= STDERR_FILENO || each.closes_on_exec) << each.number << " " << each.target;
  }
}

TEST_F(ProcessFaults, F21_ALayerOfAlmostATebibyteIsOpenedAndReadInBoundedMemory) {
  if (!memory_is_the_programs_own()) GTEST_SKIP() << "measured without sanitizers only";
  constexpr uint64_t kLayerBytes = (1ull << 40) - 4096;
  constexpr uint64_t kGrowth = 128 * kMiB;  // of what may be touched; what is touched stays far below
  constexpr uint64_t kLayers = 4;
  ImageRecipe recipe;
  for (uint64_t layer = 0; layer < kLayers; ++layer)
    recipe.layers.push_back(unverifiable_layer(50 + layer, kLayerBytes));
  const SampleImage image = make_image(recipe);
  registry_.push("huge", "latest", image);
  const ArchiveModel model = model_of(image, "huge", "latest");
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const pid_t pid = mount.process().pid();
  ASSERT_TRUE(reads_well(mount));
  const uint64_t data_before = data_bytes_of(pid);
  ASSERT_GT(data_before, 0u);
  const OpenOutcome file = open_file(tar_of(mount, "huge", "latest"));
  ASSERT_EQ(file.error, 0);
  for (const SampleLayer& layer : image.layers) {
    for (const uint64_t place : {uint64_t{0}, kLayerBytes / 2, kLayerBytes - kMiB}) {
      const uint64_t offset = model.member(layer).offset + place;
      EXPECT_TRUE(same_bytes(read_at(file.fd.get(), offset, 4096, 4096).bytes, model.read(offset, 4096))) << place;
    }
  }
  EXPECT_LT(data_bytes_of(pid), data_before + kGrowth);
}

TEST_F(ProcessFaults, F22_AStatfsAsksNoRegistryAndUpdatedbCanTellTheMountByItsType) {
  registry_.refuse_connections();
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(mounted_type(mount.mountpoint()), "fuse.regfs");
  const auto begin = steady_clock::now();
  struct statvfs statistics {};
  ASSERT_EQ(::statvfs(mount.mountpoint().c_str(), &statistics), 0);
  EXPECT_GT(statistics.f_blocks, 0u);
  EXPECT_EQ(statistics.f_bavail, 0u);
  EXPECT_EQ(statistics.f_namemax, 255u);
  EXPECT_NE(statistics.f_flag & ST_RDONLY, 0u);
  const Finished df = run({"df", "--output=target", mount.mountpoint()});
  EXPECT_TRUE(contains(df.output, mount.mountpoint()));
  EXPECT_LT(steady_clock::now() - begin, kFast);

  registry_.accept_connections();
  ASSERT_EQ(stat_error(good_tar(mount)), 0);
  registry_.journal().forget();
  for (const std::string& path : {mount.mountpoint(), good_tar(mount)}) {
    ASSERT_EQ(::statvfs(path.c_str(), &statistics), 0);
  }
  EXPECT_TRUE(registry_.journal().entries().empty());

  ParkedReaders readers;
  park(readers, mount);
  ASSERT_TRUE(readers.all_parked());
  const auto stalled = steady_clock::now();
  EXPECT_EQ(run({"df", mount.mountpoint()}).status, 0);
  EXPECT_LT(steady_clock::now() - stalled, kFast);
}

// A suspend freezes readers and daemon at any place, which no test can ask for; a daemon that is stopped for
// longer than all its time-outs is what it wakes up to.
TEST_F(ProcessFaults, F23_AStuckRequestIsBoundedAfterTheDaemonWasStopped) {
  constexpr seconds kStopped{3};
  MountedRegfs mount({.arguments = {"--timeout", "1", "--read-timeout", "2"}});
  REGFS_ASSERT_MOUNTED(mount);
  const OpenOutcome file = open_file(slow_tar(mount));
  ReadingThread reader(file.fd.get(), slow_place(0), 4096);
  ASSERT_TRUE(reader.parked());
  mount.process().send(SIGSTOP);
  ASSERT_TRUE(eventually(kSoon, [&] { return process_state(mount.process().pid()) == 'T'; }));
  ChildProcess ls({"ls", mount / registry_.host() / "slow"}, {});
  const auto stopped = steady_clock::now();
  EXPECT_TRUE(eventually(kSoon, [&] { return steady_clock::now() - stopped > kStopped; }));
  EXPECT_FALSE(reader.ended());
  mount.process().send(SIGCONT);
  EXPECT_TRUE(eventually(kSoon, [&] { return reader.ended(); }));
  EXPECT_EQ(reader.wait().error, ETIMEDOUT);
  EXPECT_TRUE(ls.wait(kSoon));
  EXPECT_TRUE(reads_well(mount));
}

// Out of memory is an exception that may come anywhere. What is refused so is an error, and the daemon goes on.
TEST_F(ProcessFaults, F24_TheDaemonSurvivesBadAllocWhereverItIsThrown) {
  if (!memory_is_the_programs_own()) GTEST_SKIP() << "measured without sanitizers only";
  constexpr int kAttempts = 50;
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const pid_t pid = mount.process().pid();
  ASSERT_TRUE(reads_well(mount));
  const std::string published = published_path(mount.cache_directory(), good_.layers[0].digest);
  ASSERT_TRUE(eventually(kSoon, [&] { return exists(published); }));
  const OpenOutcome file = open_file(good_tar(mount));
  rlimit before{};
  const rlimit none{.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};  // the kernel takes 0 for no limit
  ASSERT_EQ(::prlimit(pid, RLIMIT_DATA, &none, &before), 0);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    EXPECT_NE(list_directory(mount / registry_.host() / ("name" + std::to_string(attempt))).error, 0);
    forget_pages(file.fd.get());
    const ReadOutcome got = read_at(file.fd.get(), 0, UINT64_MAX);
    EXPECT_TRUE(got.error != 0 || got.bytes == model_of(good_, "good", "latest").bytes());
  }
  EXPECT_TRUE(contains(mount.log(), "bad_alloc")) << "nothing was thrown";
  ASSERT_EQ(::prlimit(pid, RLIMIT_DATA, &before, nullptr), 0);
  EXPECT_TRUE(eventually(kAfterFailureMemory, [&] { return static_cast<bool>(reads_well(mount)); })) << mount.log();
  EXPECT_EQ(list_directory(mount / registry_.host() / "good").error, 0);
}

TEST_F(ProcessFaults, F24_AColdReadEndsThoughTheDaemonHasNoMemory) {
  if (!memory_is_the_programs_own()) GTEST_SKIP() << "measured without sanitizers only";
  MountedRegfs mount({.arguments = {"--timeout", "1", "--read-timeout", "2"}});
  REGFS_ASSERT_MOUNTED(mount);
  ASSERT_EQ(open_error(good_tar(mount)), 0);
  rlimit before{};
  const rlimit none{.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};
  ASSERT_EQ(::prlimit(mount.process().pid(), RLIMIT_DATA, &none, &before), 0);
  ParkedReaders reader;
  reader.add_page(good_tar(mount), kMiB);
  EXPECT_TRUE(reader[0].wait(kSoon)) << "it waits for ever\n" << mount.log();
  ASSERT_EQ(::prlimit(mount.process().pid(), RLIMIT_DATA, &before, nullptr), 0);
  EXPECT_TRUE(eventually(kAfterFailureMemory, [&] { return static_cast<bool>(reads_well(mount)); })) << mount.log();
}

}  // namespace
}  // namespace regfs::test::faults_process_test
