// SPDX-License-Identifier: MIT
// Faults of readers: signals to programs that wait for a registry which has stopped. F4 is in
// dead_repositories_test.cc, F6 in thousand_readers_test.cc, F7 in archive_test.cc, F8 in tree_test.cc.
#include <signal.h>

#include "tests/mount/mount_fixture.h"
#include "tests/mount/parked_readers.h"

namespace regfs::test::faults_reader_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr uint64_t kMiB = 1 << 20;
constexpr seconds kSoon{20};
constexpr seconds kGone{3};

// Handled while it lives, and nothing else happens.
class HandledSignal {
 public:
  explicit HandledSignal(int signal) : signal_(signal) {
    struct sigaction action {};
    action.sa_handler = [](int) {};  // without SA_RESTART: a call that can be interrupted is
    ::sigaction(signal, &action, &before_);
  }
  ~HandledSignal() { ::sigaction(signal_, &before_, nullptr); }
  HandledSignal(const HandledSignal&) = delete;
  HandledSignal& operator=(const HandledSignal&) = delete;

 private:
  const int signal_;
  struct sigaction before_ {};
};

class ReaderFaults : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (!IsSkipped()) registry_.push("app", "latest", image_);
  }

  const SampleLayer layer_ = seeded_layer(3, 6 * kMiB);
  const SampleImage image_ = make_image({.layers = {layer_}});
  const std::string layer_path_ = FakeRegistry::blob_path("app", layer_.digest);
};

TEST_F(ReaderFaults, F1_AKilledReaderIsGoneAtOnce) {
  registry_.break_path(layer_path_, stalls_at(0));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const int signal : {SIGINT, SIGTERM, SIGKILL}) {
    ParkedReaders reader;
    reader.add_whole(tar_of(mount, "app", "latest"));
    ASSERT_TRUE(reader.all_parked()) << mount.log();
    reader[0].send(signal);
    EXPECT_EQ(reader[0].wait(kGone), 128 + signal);
  }
}

TEST_F(ReaderFaults, F1_AReaderThatHandlesTheSignalGetsTheBoundedAnswer) {
  registry_.break_path(layer_path_, stalls_at(0));
  const MountedRegfs mount({.arguments = {"--timeout", "1", "--read-timeout", "2"}});
  REGFS_ASSERT_MOUNTED(mount);
  const HandledSignal handled(SIGINT);
  const OpenOutcome file = open_file(tar_of(mount, "app", "latest"));
  const auto begin = steady_clock::now();
  ReadingThread reader(file.fd.get(), model_of(image_, "app", "latest").member(layer_).offset, 4096);
  ASSERT_TRUE(reader.parked());
  reader.send(SIGINT);
  EXPECT_EQ(reader.wait().error, ETIMEDOUT);
  EXPECT_LT(steady_clock::now() - begin, kSoon);
}

// Without keep_cache the second one waits in open() for the page of the first, unkillably.
TEST_F(ReaderFaults, F2_ASecondReaderOfTheSameStalledFileIsGoneWhenItIsKilled) {
  registry_.break_path(layer_path_, stalls_at(0));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  ParkedReaders readers;
  for (int count = 0; count < 2; ++count) {
    readers.add_whole(tar_of(mount, "app", "latest"));
    ASSERT_TRUE(readers.all_parked()) << mount.log();
  }
  for (const size_t reader : {size_t{1}, size_t{0}}) {
    readers[reader].send(SIGTERM);
    EXPECT_EQ(readers[reader].wait(kGone), 128 + SIGTERM) << reader;
  }
}

TEST_F(ReaderFaults, F3_NamesBesideAStalledLookupWaitItsTimeOnceAndNotEachInTurn) {
  constexpr int kNames = 12;
  constexpr seconds kLookup{1};
  registry_.break_path("/v2/held/*", holds());
  const MountedRegfs mount({.arguments = {"--lookup-timeout", "1"}});
  REGFS_ASSERT_MOUNTED(mount);
  ASSERT_TRUE(eventually(kSoon, [&] { return stat_error(tar_of(mount, "app", "latest")) == 0; })) << mount.log();
  const MountPath repository = mount / registry_.host() / "held";
  const auto begin = steady_clock::now();
  std::vector<std::unique_ptr<ChildProcess>> programs;
  for (int name = 0; name < kNames; ++name) {
    programs.push_back(std::make_unique<ChildProcess>(
        std::vector<std::string>{"stat", repository / ("tag" + std::to_string(name))}, ChildProcess::Output{}));
  }
  for (const auto& program : programs) {
    const auto status = program->wait(kSoon);
    ASSERT_TRUE(status) << "a lookup has no end";
    EXPECT_NE(*status, 0);
  }
  EXPECT_LT(steady_clock::now() - begin, kNames / 2 * kLookup) << "they waited one after the other";

  const auto again = steady_clock::now();
  EXPECT_EQ(open_error(repository / "another" / "linux-amd64.tar"), ETIMEDOUT);
  EXPECT_LT(steady_clock::now() - again, milliseconds(900)) << "a time-out is remembered";
  EXPECT_EQ(stat_error(tar_of(mount, "app", "latest")), 0) << "what is known is still served";

  registry_.push("held", "one", image_);
  registry_.mend("/v2/held/*");
  EXPECT_TRUE(eventually(kAfterFailureMemory, [&] { return open_error(repository / "one" / "linux-amd64.tar") == 0; }));
}

TEST_F(ReaderFaults, F5_AStormOfHandledSignalsNeitherHarmsAReadNorStartsATransferAnew) {
  constexpr int kStorm = 50;
  registry_.break_path(layer_path_, paces(milliseconds(0), 2 * kMiB));
  const MountedRegfs mount({.arguments = {"--max-concurrent-downloads", "2"}});
  REGFS_ASSERT_MOUNTED(mount);
  const HandledSignal handled(SIGUSR1);
  const OpenOutcome file = open_file(tar_of(mount, "app", "latest"));
  ASSERT_EQ(file.error, 0);
  ReadingThread reader(file.fd.get(), 0, UINT64_MAX);
  int signals = 0;
  const bool ended = eventually(kSoon, [&] {
    reader.send(SIGUSR1);
    ++signals;
    return reader.ended();
  });
  ASSERT_TRUE(ended);
  EXPECT_GE(signals, kStorm) << "the transfer was too fast for a storm";
  EXPECT_EQ(reader.wait().error, 0);
  EXPECT_TRUE(same_bytes(reader.wait().bytes, model_of(image_, "app", "latest").bytes()));
  EXPECT_TRUE(asked_once(asked_of("app", layer_), layer_.content->size_bytes()));
}

}  // namespace
}  // namespace regfs::test::faults_reader_test
