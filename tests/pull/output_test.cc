// SPDX-License-Identifier: MIT
// Where the archive goes: whole or not at all, whatever stands or happens there.
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fstream>

#include "tests/pull/pull_fixture.h"

namespace regfs::test::output_test {
namespace {

class PullOutput : public PullTest {
 protected:
  static constexpr uint64_t kMiB = 1 << 20;

  void SetUp() override { registry_.push("app", "1", image_); }
  void TearDown() override {
    if (!disk_.empty()) ::umount2(disk_.c_str(), MNT_DETACH);
  }

  Pulled pull_to(const std::string& path) { return pull({"--platform=linux/amd64", "-o", path, name_of("app", "1")}); }
  std::unique_ptr<Pulling> start_to(const std::string& path) {
    return start({"--platform=linux/amd64", "-o", path, name_of("app", "1")});
  }
  // To standard output, in a shell that runs the program as "$@".
  Finished pull_out_in(const std::string& script) {
    std::vector<std::string> words{"bash", "-c", script, "bash"};
    for (const std::string& word : command({"--platform=linux/amd64", "-o", "-", name_of("app", "1")})) {
      words.push_back(word);
    }
    return run(words);
  }
  bool mount_disk(const std::string& size) {
    const std::string disk = scratch_ / "disk";
    ::mkdir(disk.c_str(), 0755);
    if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, ("size=" + size).c_str()) != 0) return false;
    disk_ = disk;
    return true;
  }
  void hold_last_layer() { registry_.break_path(last_, holds()); }
  bool has_begun(const std::string& part) const {
    return eventually(kSoon, [&] {
      const auto status = stat_of(part);
      return status && status->st_size > static_cast<off_t>(kMiB);
    });
  }

  const SampleImage image_ = make_image({.layers = {seeded_layer(1, 4 * kMiB), seeded_layer(2, 2 * kMiB)}});
  const ArchiveModel model_ = model_of(image_, "app", "1");
  const std::string last_ = FakeRegistry::blob_path("app", image_.layers[1].digest);
  std::string disk_;
};

TEST_F(PullOutput, ToAPipeThatClosesIsAFailureInWords) {
  const Finished finished = pull_out_in("\"$@\" | head -c 1000 > /dev/null; exit ${PIPESTATUS[0]}");
  EXPECT_EQ(finished.status, kDiskFailure) << finished.error;
  EXPECT_TRUE(contains(finished.error, "cannot write standard output: Broken pipe\n"));
}

TEST_F(PullOutput, ToAClosedStandardOutputIsAFailureInWords) {
  const Finished finished = pull_out_in("\"$@\" >&-");
  EXPECT_EQ(finished.status, kDiskFailure) << finished.error;
  EXPECT_TRUE(contains(finished.error, "cannot write standard output: Bad file descriptor\n"));
}

TEST_F(PullOutput, ToADiskWithoutRoomIsRefusedBeforeALayerIsFetched) {
  if (!mount_disk("3m")) GTEST_SKIP() << "no tmpfs can be mounted here";
  const Pulled pulled = pull_to(disk_ + "/a.tar");
  EXPECT_EQ(pulled.status, kCannotCreate);
  EXPECT_TRUE(contains(pulled.error, disk_ + " has room for 3.0 MiB, the archive needs 6.0 MiB"));
  EXPECT_EQ(list_directory(disk_).names, std::vector<std::string>());
  EXPECT_EQ(sent_bytes(), image_.config.size());
}

TEST_F(PullOutput, ToADiskThatFillsMeanwhileLeavesNothing) {
  if (!mount_disk("8m")) GTEST_SKIP() << "no tmpfs can be mounted here";
  hold_last_layer();
  const auto pulling = start_to(disk_ + "/a.tar");
  ASSERT_TRUE(has_begun(disk_ + "/a.tar.part")) << pulling->said();
  std::ofstream(disk_ + "/filler") << std::string(8 * kMiB, 'x') << std::flush;
  registry_.mend(last_);
  EXPECT_EQ(pulling->end(), kDiskFailure);
  EXPECT_TRUE(contains(pulling->said(), "No space left on device"));
  EXPECT_EQ(list_directory(disk_).names, std::vector<std::string>{"filler"});
}

TEST_F(PullOutput, ToAFullDeviceIsAFailure) {
  const Pulled pulled = pull_to("/dev/full");
  EXPECT_EQ(pulled.status, kDiskFailure);
  EXPECT_TRUE(contains(pulled.error, "cannot write /dev/full: No space left on device\n"));
  EXPECT_TRUE(exists("/dev/full"));
}

TEST_F(PullOutput, OfADryRunOntoAFullDeviceIsAFailureToo) {
  Pulling pulling(command({"--dry-run", name_of("app", "1")}), "/dev/full", scratch_ / "error");
  EXPECT_EQ(pulling.end(), kDiskFailure);
  EXPECT_TRUE(contains(pulling.said(), "cannot write standard output"));
}

TEST_F(PullOutput, IntoADirectoryThatDoesNotExistSaysHowToMakeIt) {
  const Pulled pulled = pull_to("no/where/a.tar");
  EXPECT_EQ(pulled.status, kCannotCreate);
  EXPECT_TRUE(contains(pulled.error, "mkdir -p"));
  EXPECT_TRUE(files().empty());
}

TEST_F(PullOutput, IntoADirectoryItselfIsRefused) {
  ::mkdir(in("there").c_str(), 0755);
  for (const char* const path : {"there", "there/", "."}) {
    const Pulled pulled = pull_to(path);
    EXPECT_EQ(pulled.status, kCannotCreate) << path << ": " << pulled.error;
    EXPECT_TRUE(contains(pulled.error, "is a directory"));
  }
  EXPECT_EQ(files(), std::vector<std::string>{"there"});
  EXPECT_TRUE(list_directory(in("there")).names.empty());
}

TEST_F(PullOutput, BelowAFileIsRefused) {
  std::ofstream(in("file")) << "x";
  const Pulled pulled = pull_to("file/a.tar");
  EXPECT_EQ(pulled.status, kCannotCreate) << pulled.error;
  EXPECT_TRUE(contains(pulled.error, "file/a.tar"));
  EXPECT_EQ(text_file(in("file")), "x");
}

TEST_F(PullOutput, WithANameThatIsTooLongIsRefused) {
  const Pulled pulled = pull_to(std::string(252, 'n'));  // ".part" does not fit
  EXPECT_EQ(pulled.status, kCannotCreate) << pulled.error;
  EXPECT_TRUE(files().empty());
}

TEST_F(PullOutput, OverAFileReplacesItAtTheEndOnly) {
  std::ofstream(in("a.tar")) << "an older archive";
  hold_last_layer();
  const auto pulling = start_to("a.tar");
  ASSERT_TRUE(has_begun(in("a.tar.part"))) << pulling->said();
  EXPECT_EQ(text_file(in("a.tar")), "an older archive");
  registry_.mend(last_);
  EXPECT_EQ(pulling->end(), 0) << pulling->said();
  EXPECT_TRUE(is_archive(in("a.tar"), model_));
  EXPECT_EQ(files(), std::vector<std::string>{"a.tar"});
}

TEST_F(PullOutput, OverAFileKeepsItWhenItFails) {
  std::ofstream(in("a.tar")) << "an older archive";
  registry_.break_path(last_, answers(404));
  EXPECT_EQ(pull_to("a.tar").status, kBadData);
  EXPECT_EQ(text_file(in("a.tar")), "an older archive");
}

TEST_F(PullOutput, ThroughALinkReplacesWhatItLeadsTo) {
  ::mkdir(in("far").c_str(), 0755);
  std::ofstream(in("far/b.tar")) << "old";
  ASSERT_EQ(::symlink("far/b.tar", in("a.tar").c_str()), 0);
  EXPECT_EQ(pull_to("a.tar").status, 0);
  EXPECT_TRUE(std::filesystem::is_symlink(in("a.tar")));
  EXPECT_FALSE(std::filesystem::is_symlink(in("far/b.tar")));
  EXPECT_TRUE(is_archive(in("far/b.tar"), model_));
}

TEST_F(PullOutput, ThroughALinkToNothingYetMakesWhatItLeadsTo) {
  ::mkdir(in("far").c_str(), 0755);
  ASSERT_EQ(::symlink("far/b.tar", in("a.tar").c_str()), 0);
  const Pulled pulled = pull_to("a.tar");
  EXPECT_EQ(pulled.status, 0) << pulled.error;
  EXPECT_TRUE(std::filesystem::is_symlink(in("a.tar")));
  EXPECT_TRUE(is_archive(in("far/b.tar"), model_));
}

TEST_F(PullOutput, OverAPartThatIsALinkTouchesNothingBehindIt) {
  std::ofstream(in("precious")) << "precious";
  ASSERT_EQ(::symlink("precious", in("a.tar.part").c_str()), 0);
  EXPECT_EQ(pull_to("a.tar").status, kCannotCreate);
  EXPECT_EQ(text_file(in("precious")), "precious");
}

TEST_F(PullOutput, ToTheNullDeviceLeavesItOne) {
  const Pulled pulled = pull_to("/dev/null");
  EXPECT_EQ(pulled.status, 0) << pulled.error;
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  EXPECT_FALSE(exists("/dev/null.part"));
}

TEST_F(PullOutput, ToANamedPipeIsTheArchive) {
  ASSERT_EQ(run({"mkfifo", in("pipe")}).status, 0);
  const auto pulling = start_to("pipe");
  EXPECT_TRUE(is_archive(in("pipe"), model_));
  EXPECT_EQ(pulling->end(), 0) << pulling->said();
  EXPECT_TRUE(std::filesystem::is_fifo(in("pipe")));
}

TEST_F(PullOutput, OfTwoRunsAtOnceTheSecondIsRefused) {
  hold_last_layer();
  const auto first = start_to("a.tar");
  ASSERT_TRUE(has_begun(in("a.tar.part"))) << first->said();
  const Pulled second = pull_to("a.tar");
  EXPECT_EQ(second.status, kCannotCreate);
  EXPECT_TRUE(contains(second.error, "another regfs-pull writes " + in("a.tar") + " at this moment\n"));
  registry_.mend(last_);
  EXPECT_EQ(first->end(), 0) << first->said();
  EXPECT_TRUE(is_archive(in("a.tar"), model_));
}

TEST_F(PullOutput, FollowsTheUmask) {
  ASSERT_EQ(pull_to("a.tar").status, 0);
  const mode_t mask = ::umask(0);
  ::umask(mask);
  EXPECT_EQ(stat_of(in("a.tar"))->st_mode & 0777, 0666 & ~mask);
}

TEST_F(PullOutput, ThatStartsWithATildeOrADashIsAFileLikeOthers) {
  EXPECT_EQ(pull_to("./-a.tar").status, 0);
  EXPECT_TRUE(is_archive(in("-a.tar"), model_));
}

TEST_F(PullOutput, OfADirectoryThatMayNotBeWrittenIsRefused) {
  if (!mount_disk("16m")) GTEST_SKIP() << "no tmpfs can be mounted here";
  ASSERT_EQ(::mount("tmpfs", disk_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr), 0);
  const Pulled pulled = pull_to(disk_ + "/a.tar");
  EXPECT_EQ(pulled.status, kCannotCreate);
  EXPECT_TRUE(contains(pulled.error, "Read-only file system"));
}

}  // namespace
}  // namespace regfs::test::output_test
