// SPDX-License-Identifier: MIT
// C9, C15, C16: what is evicted by hand is never what somebody reads, in whatever process.
#include "tests/cachetool/cachetool_fixture.h"

namespace regfs::test::gc_test {
namespace {

using CacheGc = CacheToolTest;

TEST_F(CacheGc, LeavesWhatIsInTheDefaultBudget) {
  const SampleImage image = pulled_image();
  const nlohmann::json report = tool_json({"gc"});
  EXPECT_EQ(report["blobs"], 0);
  EXPECT_TRUE(has(image.layers[0].digest));
}

TEST_F(CacheGc, EmptiesTheCacheAndSaysWhatItFreed) {
  const SampleImage image = pulled_image();
  const nlohmann::json report = tool_json({"gc", "--to", "0"});
  EXPECT_EQ(report["blobs"], 4);
  EXPECT_GE(report["freed_bytes"], 3 * kMiB);
  EXPECT_EQ(report["left_bytes"], 0);
  EXPECT_FALSE(has(image.layers[0].digest));
  EXPECT_EQ(tool_json({"list"})["blobs"].size(), 0u);

  ASSERT_EQ(pull({"--platform=linux/amd64", "-o", "again.tar", name_of("app", "1")}).status, 0);
  EXPECT_TRUE(is_archive(in("again.tar"), model_of(image, "app", "1")));
}

TEST_F(CacheGc, LeavesWhatWasUsedLast) {
  const SampleImage image = pulled_image();
  const timespec long_ago[2] = {{1'000, 0}, {1'000, 0}};
  const std::string seal = cache_ + "/seals/sha256/" + image.layers[0].digest.hex();
  ASSERT_EQ(::utimensat(AT_FDCWD, seal.c_str(), long_ago, 0), 0);
  EXPECT_EQ(tool_json({"gc", "--to", "2M"})["blobs"], 1);
  EXPECT_FALSE(has(image.layers[0].digest));
  EXPECT_TRUE(has(image.layers[1].digest));
  EXPECT_EQ(tool_json({"gc", "--to", "2M"})["blobs"], 0);
}

TEST_F(CacheGc, LeavesWhatAMountHasOpen) {
  if (const std::string why = why_no_mounts(); !why.empty()) GTEST_SKIP() << why;
  const SampleImage image = pulled_image();
  const ArchiveModel model = model_of(image, "app", "1");
  const MountedRegfs mount({.cache_directory = cache_});
  ASSERT_TRUE(mount.mounted()) << mount.log();
  const OpenOutcome reader = open_file(mount / registry_.host() / "app" / "1" / "linux-amd64.tar");
  ASSERT_EQ(reader.error, 0);
  const uint64_t offset = model.member(image.layers[0]).offset;
  ASSERT_EQ(read_at(reader.fd.get(), offset, 4096).bytes, model.read(offset, 4096));
  registry_.journal().forget();

  const Finished finished = tool({"gc", "--to", "0"});
  EXPECT_EQ(finished.status, 0) << finished.error;
  EXPECT_TRUE(contains(finished.output, "left: it is in use"));
  EXPECT_TRUE(has(image.layers[0].digest));
  forget_pages(reader.fd.get());
  EXPECT_EQ(read_at(reader.fd.get(), 0, model.size_bytes()).bytes, model.bytes());
  EXPECT_EQ(requests_for("app", image.layers[0]), 0u);
}

TEST_F(CacheGc, ShowsInAMountWhichHasTheImageComplete) {
  if (const std::string why = why_no_mounts(); !why.empty()) GTEST_SKIP() << why;
  const SampleImage image = pulled_image();
  const MountedRegfs mount({.cache_directory = cache_});
  ASSERT_TRUE(mount.mounted()) << mount.log();
  const std::string path = mount / registry_.host() / "app" / "1" / "linux-amd64.tar";
  const auto local_bytes = [&] {
    struct stat st {};
    return ::stat(path.c_str(), &st) == 0 ? static_cast<uint64_t>(st.st_blocks) * 512 : 0;
  };
  EXPECT_TRUE(is_archive(path, model_of(image, "app", "1")));
  EXPECT_GE(local_bytes(), 3 * kMiB);
  // Its attributes are those of a complete archive, which the kernel keeps for a day. Once all is evicted, in spite of
  // what the last handle still holds for a moment, it tells so by itself.
  EXPECT_TRUE(eventually(kSoon, [&] { return tool_json({"gc", "--to", "0"})["left_bytes"] == 0; }));
  EXPECT_TRUE(eventually(kSoon, [&] { return local_bytes() < kMiB; }));
}

TEST_F(CacheGc, RemovesDebrisAndKeepsWhatCanBeResumedWhileThereIsRoom) {
  const SampleLayer layer = seeded_layer(1, 30 * kMiB);
  registry_.push("app", "1", make_image({.layers = {layer}}));
  registry_.break_path(FakeRegistry::blob_path("app", layer.digest), cuts_at(20 * kMiB));
  EXPECT_NE(pull({"--platform=linux/amd64", "--read-timeout=2", name_of("app", "1")}).status, 0);
  std::ofstream(cache_ + "/tmp/1.1") << "debris";
  std::ofstream(cache_ + "/parts/" + seeded_layer(2, 10).digest.hex() + "-10") << "no record";
  const nlohmann::json report = tool_json({"gc", "--to", "1G"});
  EXPECT_EQ(report["debris"], 2);
  EXPECT_EQ(report["parts"], 0);
  EXPECT_EQ(tool_json({"stats"})["parts"]["count"], 1);
  EXPECT_EQ(tool_json({"gc", "--to", "0"})["parts"], 1);
  EXPECT_EQ(tool_json({"stats"})["total"]["count"], 0);
}

}  // namespace
}  // namespace regfs::test::gc_test
