// SPDX-License-Identifier: MIT
// A pull that is broken off at half: no archive, and the next call fetches only the rest.
#include <signal.h>

#include <cinttypes>
#include <cstdio>
#include <sstream>

#include "tests/pull/pull_fixture.h"
#include "tests/support/mounted_regfs.h"

namespace regfs::test::interrupt_test {
namespace {

class PullInterrupt : public PullTest {
 protected:
  static constexpr uint64_t kMiB = 1 << 20;
  // What may have been under way in so many connections when the program ended.
  static constexpr uint64_t kSlack = 8 * kMiB;

  void SetUp() override {
    registry_.push("app", "1", image_);
    // The second layer comes to its middle and no further.
    registry_.break_path(stuck_, stalls_at(12 * kMiB));
  }

  std::unique_ptr<Pulling> start_and_get_to_half(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"--platform=linux/amd64", "-o", "a.tar"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    arguments.push_back(name_of("app", "1"));
    std::unique_ptr<Pulling> pulling = start(arguments);
    // Written beyond the first layer, and the third has come: what remains is stuck.
    EXPECT_TRUE(eventually(kSoon, [&] {
      const auto part = stat_of(in("a.tar.part"));
      return part && part->st_size > static_cast<off_t>(17 * kMiB) &&
             exists(published_path(cache_, image_.layers[2].digest));
    })) << pulling->said();
    return pulling;
  }
  // What the records beside parts say has come (cache/README.md).
  uint64_t noted_bytes() const {
    uint64_t bytes = 0;
    for (const std::string& name : list_directory(cache_ + "/parts").names) {
      if (!name.ends_with(".ranges")) continue;
      std::istringstream lines(text_file(cache_ + "/parts/" + name));
      for (std::string line; std::getline(lines, line);) {
        uint64_t offset = 0;
        uint64_t length = 0;
        if (std::sscanf(line.c_str(), "range %" SCNu64 " %" SCNu64, &offset, &length) == 2) bytes += length;
      }
    }
    return bytes;
  }
  void expect_the_next_fetches_the_rest(uint64_t slack) {
    EXPECT_FALSE(exists(in("a.tar")));
    registry_.mend(stuck_);
    const Pulled pulled = pull({"--platform=linux/amd64", "-o", "a.tar", name_of("app", "1")});
    EXPECT_EQ(pulled.status, 0) << pulled.error;
    EXPECT_TRUE(is_archive(in("a.tar"), model_of(image_, "app", "1")));
    EXPECT_EQ(files(), std::vector<std::string>{"a.tar"});
    EXPECT_LT(sent_bytes(), layer_bytes(image_) + image_.config.size() * 2 + slack);
  }

  const SampleImage image_ =
      make_image({.layers = {seeded_layer(1, 10 * kMiB), seeded_layer(2, 24 * kMiB), seeded_layer(3, 6 * kMiB)}});
  const std::string stuck_ = FakeRegistry::blob_path("app", image_.layers[1].digest);
};

TEST_F(PullInterrupt, ByControlCIsResumed) {
  const auto pulling = start_and_get_to_half();
  pulling->process().send(SIGINT);
  EXPECT_EQ(pulling->end(), kInterrupted);
  EXPECT_TRUE(contains(pulling->said(), "interrupted; what has come is kept, and the same command goes on from there"));
  expect_the_next_fetches_the_rest(kSlack);
}

TEST_F(PullInterrupt, ByTerminationIsResumed) {
  const auto pulling = start_and_get_to_half();
  pulling->process().send(SIGTERM);
  EXPECT_EQ(pulling->end(), kTerminated);
  expect_the_next_fetches_the_rest(kSlack);
}

TEST_F(PullInterrupt, ByTheEndOfTheTerminalIsResumed) {
  const auto pulling = start_and_get_to_half();
  pulling->process().send(SIGHUP);
  EXPECT_EQ(pulling->end(), 128 + SIGHUP);
  expect_the_next_fetches_the_rest(kSlack);
}

// What has come of a layer is noted every 4 MiB: only what came after the last note comes anew.
TEST_F(PullInterrupt, ByAKillIsResumedFromTheLastNote) {
  const SampleLayer layer = seeded_layer(4, 96 * kMiB);
  const SampleImage image = make_image({.layers = {layer}});
  registry_.push("large", "1", image);
  const std::string blob = FakeRegistry::blob_path("large", layer.digest);
  registry_.break_path(blob, stalls_at(80 * kMiB));
  uint64_t noted = 0;
  {
    const auto pulling = start({"-o", "a.tar", name_of("large", "1")});
    ASSERT_TRUE(eventually(kSoon, [&] {
      const auto part = stat_of(in("a.tar.part"));
      return part && part->st_size > static_cast<off_t>(75 * kMiB) && noted_bytes() > 72 * kMiB;
    })) << pulling->said();
    noted = noted_bytes();
    pulling->process().send(SIGKILL);
    EXPECT_EQ(pulling->end(), 128 + SIGKILL);
  }
  EXPECT_EQ(files(), std::vector<std::string>{"a.tar.part"});
  const uint64_t sent_before = sent_bytes();
  registry_.mend(blob);
  const Pulled pulled = pull({"-o", "a.tar", name_of("large", "1")});
  EXPECT_EQ(pulled.status, 0) << pulled.error;
  EXPECT_TRUE(is_archive(in("a.tar"), model_of(image, "large", "1")));
  EXPECT_LT(sent_bytes() - sent_before, layer_bytes(image) - noted + kMiB);
}

// As nohup does it.
TEST_F(PullInterrupt, ByASignalThatIsIgnoredFromTheStartIsNone) {
  std::vector<std::string> words{"sh", "-c", "trap '' HUP INT; exec \"$@\"", "sh"};
  const std::vector<std::string> pulls = command({"--platform=linux/amd64", "-o", "a.tar", name_of("app", "1")});
  words.insert(words.end(), pulls.begin(), pulls.end());
  Pulling pulling(words, "/dev/null", scratch_ / "error");
  ASSERT_TRUE(registry_.wait_until_waiting(1, kSoon)) << pulling.said();
  pulling.process().send(SIGHUP);
  pulling.process().send(SIGINT);
  registry_.mend(stuck_);
  EXPECT_EQ(pulling.end(), 0) << pulling.said();
  EXPECT_TRUE(is_archive(in("a.tar"), model_of(image_, "app", "1")));
}

TEST_F(PullInterrupt, OfOneOfSeveralImagesPullsNoFurtherOne) {
  const SampleImage other = make_image({.layers = {seeded_layer(7, 1000)}});
  registry_.push("other", "1", other);
  const auto pulling = start({name_of("app", "1"), name_of("other", "1")});
  ASSERT_TRUE(registry_.wait_until_waiting(1, kSoon)) << pulling->said();
  pulling->process().send(SIGINT);
  EXPECT_EQ(pulling->end(), kInterrupted);
  EXPECT_EQ(registry_.journal().count("", "/v2/other/"), 0u);
}

TEST_F(PullInterrupt, WhileTheRegistryIsAskedForTheTag) {
  registry_.break_path(FakeRegistry::manifest_path("app", "1"), holds());
  const auto pulling = start({"-o", "a.tar", name_of("app", "1")});
  ASSERT_TRUE(registry_.wait_until_waiting(1, kSoon));
  pulling->process().send(SIGINT);
  EXPECT_EQ(pulling->end(), kInterrupted);
  EXPECT_TRUE(contains(pulling->said(), "interrupted"));
  EXPECT_TRUE(files().empty());
}

TEST_F(PullInterrupt, WhileNobodyReadsThePipe) {
  ASSERT_EQ(run({"mkfifo", in("pipe")}).status, 0);
  const auto pulling = start({"-o", "pipe", name_of("app", "1")});
  const UniqueFd reader(open_file(in("pipe")).fd);  // waits for the writer, then reads nothing
  ASSERT_TRUE(registry_.wait_until_waiting(1, kSoon));
  pulling->process().send(SIGINT);
  EXPECT_EQ(pulling->end(), kInterrupted);
}

TEST_F(PullInterrupt, AfterwardsAnotherImageInTheSamePlaceIsRight) {
  {
    const auto pulling = start_and_get_to_half();
    pulling->process().send(SIGINT);
    ASSERT_EQ(pulling->end(), kInterrupted);
  }
  ASSERT_TRUE(exists(in("a.tar.part")));
  const SampleImage other = make_image({.layers = {seeded_layer(7, 3 * kMiB)}});
  registry_.push("other", "1", other);
  const Pulled pulled = pull({"-o", "a.tar", name_of("other", "1")});
  EXPECT_EQ(pulled.status, 0) << pulled.error;
  EXPECT_TRUE(is_archive(in("a.tar"), model_of(other, "other", "1")));
  EXPECT_EQ(files(), std::vector<std::string>{"a.tar"});
}

}  // namespace
}  // namespace regfs::test::interrupt_test
