// SPDX-License-Identifier: MIT
// What is fetched once is not fetched again, and what is said of it is true.
#include <sys/mount.h>

#include <fstream>

#include "tests/pull/pull_fixture.h"
#include "tests/support/mounted_regfs.h"

namespace regfs::test::cache_test {
namespace {

class PullCache : public PullTest {
 protected:
  // Layers of so many MiB exactly, for the sizes in the report.
  static constexpr uint64_t kMiB = 1 << 20;

  void expect_report(const std::string& name, const std::string& words) {
    const Pulled pulled = pull({"--platform=linux/amd64", "-o", "a.tar", name});
    EXPECT_EQ(pulled.status, 0) << pulled.error;
    EXPECT_TRUE(contains(pulled.error, words));
  }
  std::vector<std::string> cached_files() const {
    std::vector<std::string> names;
    if (!exists(cache_)) return names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(cache_)) names.push_back(entry.path());
    return names;
  }
};

TEST_F(PullCache, AnImageThenOneThatSharesThreeOfFourLayersThenTheFirstAgain) {
  const auto [one, two] = push_two_that_share_three_layers("script");

  expect_report(name_of("script", "1"), "layers 0 of 4 from the cache, 0 B saved");
  EXPECT_EQ(sent_bytes(), layer_bytes(one) + one.config.size());
  EXPECT_TRUE(is_archive(in("a.tar"), model_of(one, "script", "1")));

  registry_.journal().forget();
  expect_report(name_of("script", "2"), "layers 3 of 4 from the cache, 6.0 MiB saved");
  EXPECT_EQ(sent_bytes(), 5 * kMiB + two.config.size());
  EXPECT_TRUE(is_archive(in("a.tar"), model_of(two, "script", "2")));

  registry_.journal().forget();
  expect_report(name_of("script", "1"), "layers 4 of 4 from the cache, 10.0 MiB saved");
  EXPECT_EQ(sent_bytes(), 0u);
  EXPECT_TRUE(is_archive(in("a.tar"), model_of(one, "script", "1")));
}

TEST_F(PullCache, TwoImagesOfOneCommandShareTheirLayers) {
  const SampleLayer shared = seeded_layer(1, 2 * kMiB);
  registry_.push("one", "1", make_image({.layers = {shared}}));
  registry_.push("two", "1", make_image({.layers = {shared, seeded_layer(2, kMiB)}}));
  const Pulled pulled = pull({"--platform=linux/amd64", name_of("one", "1"), name_of("two", "1")});
  ASSERT_EQ(pulled.status, 0) << pulled.error;
  EXPECT_EQ(requests_for("two", shared), 0u);
  EXPECT_TRUE(contains(pulled.error, "layers 0 of 1 from the cache, 0 B saved"));
  EXPECT_TRUE(contains(pulled.error, "layers 1 of 2 from the cache, 2.0 MiB saved"));
}

TEST_F(PullCache, TwoProgramsThatShareACacheBothFinish) {
  const SampleImage image = make_image({.layers = {seeded_layer(1, 20 * kMiB), seeded_layer(2, kMiB)}});
  registry_.push("app", "1", image);
  registry_.break_path("/v2/app/blobs/*", paces(std::chrono::milliseconds(5), 20'000'000));
  const auto first = start({"-o", "a.tar", name_of("app", "1")});
  const auto second = start({"-o", "b.tar", name_of("app", "1")});
  EXPECT_EQ(first->end(), 0) << first->said();
  EXPECT_EQ(second->end(), 0) << second->said();
  EXPECT_TRUE(is_archive(in("a.tar"), model_of(image, "app", "1")));
  EXPECT_TRUE(is_archive(in("b.tar"), model_of(image, "app", "1")));
}

TEST_F(PullCache, OfflineGivesWhatItHoldsAndAsksNobody) {
  const SampleImage image = make_image({.layers = {seeded_layer(1, 3 * kMiB), seeded_layer(2, kMiB)}});
  registry_.push("app", "1", image);
  ASSERT_EQ(pull({"--platform=linux/amd64", "-o", "a.tar", name_of("app", "1")}).status, 0);
  const size_t asked = registry_.journal().entries().size();
  const Pulled pulled = pull({"--offline", "--platform=linux/amd64", "-o", "b.tar", name_of("app", "1")});
  EXPECT_EQ(pulled.status, 0) << pulled.error;
  EXPECT_TRUE(is_archive(in("b.tar"), model_of(image, "app", "1")));
  EXPECT_EQ(pull({"--offline", "-o", "c.tar", name_of("app", "2")}).status, kUnavailable);
  EXPECT_FALSE(exists(in("c.tar")));
  EXPECT_EQ(registry_.journal().entries().size(), asked);
}

TEST_F(PullCache, WithoutOneNothingIsLeft) {
  const SampleImage image = make_image({.layers = {seeded_layer(1, 3 * kMiB), seeded_layer(2, kMiB)}});
  registry_.push("app", "1", image);
  for (int round = 0; round < 2; ++round) {
    const Pulled pulled = pull({"--no-cache", "-o", "a.tar", name_of("app", "1")});
    EXPECT_EQ(pulled.status, 0) << pulled.error;
    EXPECT_TRUE(contains(pulled.error, "layers 0 of 2 from the cache, 0 B saved"));
  }
  EXPECT_EQ(sent_bytes(), 2 * (layer_bytes(image) + image.config.size()));
  EXPECT_TRUE(is_archive(in("a.tar"), model_of(image, "app", "1")));
  EXPECT_EQ(cached_files(), std::vector<std::string>());
  EXPECT_FALSE(exists(cache_));
}

TEST_F(PullCache, WithoutOneAnInterruptedRunLeavesNothingEither) {
  const SampleImage image = make_image({.layers = {seeded_layer(1, 3 * kMiB), seeded_layer(2, kMiB)}});
  registry_.push("app", "1", image);
  registry_.break_path(FakeRegistry::blob_path("app", image.layers[1].digest), holds());
  const auto pulling = start({"--no-cache", "-o", "a.tar", name_of("app", "1")});
  ASSERT_TRUE(eventually(kSoon, [&] { return digest_of_file(in("a.tar.part")).size_bytes > 2 * kMiB; }));
  pulling->process().send(SIGINT);
  EXPECT_EQ(pulling->end(), kInterrupted);
  EXPECT_TRUE(files().empty());
  EXPECT_EQ(cached_files(), std::vector<std::string>());
}

TEST_F(PullCache, OnADiskThatIsFullIsAFailureThatSaysWhatToDo) {
  const std::string disk = scratch_ / "disk";
  ::mkdir(disk.c_str(), 0755);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=2m") != 0) GTEST_SKIP() << "no tmpfs can be mounted here";
  cache_ = disk + "/cache";
  const SampleImage image = make_image({.layers = {seeded_layer(1, 6 * kMiB), seeded_layer(2, kMiB)}});
  registry_.push("app", "1", image);
  const Pulled pulled = pull({"--platform=linux/amd64", "-o", "a.tar", name_of("app", "1")});
  ::umount2(disk.c_str(), MNT_DETACH);
  EXPECT_EQ(pulled.status, kDiskFailure) << pulled.error;
  EXPECT_FALSE(exists(in("a.tar")));
  EXPECT_TRUE(contains(pulled.error, cache_ + " is full"));
  EXPECT_TRUE(contains(pulled.error, "--cache-dir"));
}

// In one layer or in many: what was written is not kept.
TEST_F(PullCache, AnImageLargerThanTheCacheIsPulledAsAStream) {
  const SampleImage whole = make_image({.layers = {seeded_layer(1, 80 * kMiB), seeded_layer(2, 1'000)}});
  const SampleImage split = make_image({.layers = {seeded_layer(3, 20 * kMiB), seeded_layer(4, 7 * kMiB),
                                                   seeded_layer(5, 12 * kMiB), seeded_layer(6, 3 * kMiB)}});
  registry_.push("large", "whole", whole);
  registry_.push("large", "split", split);
  for (const auto& [tag, image] : {std::pair("whole", &whole), std::pair("split", &split)}) {
    for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--no-cache"}}) {
      std::vector<std::string> arguments{"--platform=linux/amd64", "--cache-size=32M", "-o", "a.tar"};
      arguments.insert(arguments.end(), more.begin(), more.end());
      arguments.push_back(name_of("large", tag));
      const Pulled pulled = pull(arguments);
      EXPECT_EQ(pulled.status, 0) << pulled.error;
      EXPECT_TRUE(contains(pulled.error, "is read as a stream"));
      EXPECT_TRUE(is_archive(in("a.tar"), model_of(*image, "large", tag)));
    }
  }
}

// As another user than the one it belongs to; root may write everything.
TEST_F(PullCache, ThatMayNotBeWrittenIsRefusedWithAdvice) {
  const std::vector<std::string> nobody{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
  const auto as_nobody = [&](std::vector<std::string> command) {
    command.insert(command.begin(), nobody.begin(), nobody.end());
    return run(command);
  };
  if (as_nobody({"test", "-x", pull_program()}).status != 0) GTEST_SKIP() << "nobody may not run " << pull_program();
  ::chmod(scratch_.path().c_str(), 0755);
  registry_.push("app", "1", make_image({.layers = {seeded_layer(1, kMiB)}}));
  ASSERT_EQ(pull({"--platform=linux/amd64", "-o", "a.tar", name_of("app", "1")}).status, 0);
  ::mkdir((scratch_ / "roots").c_str(), 0755);
  ASSERT_EQ(run({"cp", "-r", cache_, scratch_ / "readable"}).status, 0);
  ASSERT_EQ(run({"chmod", "-R", "a+rX", scratch_ / "readable"}).status, 0);
  for (const std::string& cache : {cache_, scratch_ / "roots", scratch_ / "roots/cache", scratch_ / "readable"}) {
    const Finished refused = as_nobody(
        {pull_program(), "--cache-dir", cache, "--platform=linux/amd64", "-o", "/dev/null", name_of("app", "1")});
    EXPECT_EQ(refused.status, kDiskFailure) << refused.error;
    EXPECT_TRUE(contains(refused.error, "the cache directory " + cache + " cannot be used (choose another with"));
    EXPECT_EQ(std::count(refused.error.begin(), refused.error.end(), '\n'), 1) << refused.error;
  }
}

TEST_F(PullCache, OfANewerFormatIsRefused) {
  ::mkdir(cache_.c_str(), 0700);
  std::ofstream(cache_ + "/regfs-cache") << "regfs cache format 2\n";
  registry_.push("app", "1", make_image({.layers = {seeded_layer(1, kMiB)}}));
  const Pulled pulled = pull({"--platform=linux/amd64", name_of("app", "1")});
  EXPECT_EQ(pulled.status, kBadData);
  EXPECT_TRUE(contains(pulled.error, "belongs to a newer regfs"));
}

}  // namespace
}  // namespace regfs::test::cache_test
