// SPDX-License-Identifier: MIT
// A registry that stops in mid-sentence: every wait has an end, and what comes after it is good again.
// Who else is parked and who is not, see dead_repositories_test.cc and faults_reader_test.cc.
#include "tests/mount/mount_fixture.h"

namespace regfs::test::stall_test {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr uint64_t kMiB = 1 << 20;
constexpr seconds kSoon{20};
constexpr seconds kFast{2};  // generous: what is measured is milliseconds, or for ever

class StallTest : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (IsSkipped()) return;
    registry_.push("slow", "latest", slow_);
    registry_.break_path(slow_path_, stalls_at(0));
  }

  const SampleLayer slow_layer_ = seeded_layer(3, 4 * kMiB);
  const SampleImage slow_ = make_image({.layers = {slow_layer_}});
  const std::string slow_path_ = FakeRegistry::blob_path("slow", slow_layer_.digest);
};

TEST_F(StallTest, TerminatingTheDaemonEndsItWhileNamesAreAwaited) {
  registry_.break_path("/v2/held/*", holds());
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  ChildProcess ls({"ls", mount / registry_.host() / "held" / "latest"}, {});
  ASSERT_TRUE(registry_.wait_until_waiting(1, kSoon));
  EXPECT_EQ(mount.stop(seconds(5)), 0) << mount.log();
  EXPECT_TRUE(ls.wait(kFast));
}

TEST_F(StallTest, AReadWithoutAByteEndsInTimeAndTriesAnewLater) {
  const MountedRegfs mount({.arguments = {"--timeout", "1", "--read-timeout", "3"}});
  REGFS_ASSERT_MOUNTED(mount);
  const OpenOutcome file = open_file(tar_of(mount, "slow", "latest"));
  const uint64_t offset = model_of(slow_, "slow", "latest").member(slow_layer_).offset;
  const auto begin = steady_clock::now();
  const ReadOutcome got = read_at(file.fd.get(), offset, 4096, 4096);
  EXPECT_EQ(got.error, ETIMEDOUT);
  EXPECT_LT(steady_clock::now() - begin, kSoon);
  registry_.mend(slow_path_);
  EXPECT_TRUE(eventually(kAfterFailureMemory, [&] { return read_at(file.fd.get(), offset, 4096, 4096).error == 0; }));
}

}  // namespace
}  // namespace regfs::test::stall_test
