// SPDX-License-Identifier: MIT
// One image is one sequence of bytes, whatever way it is asked for.
#include "tests/pull/pull_fixture.h"
#include "tests/support/mounted_regfs.h"

namespace regfs::test::archive_test {
namespace {

class PullArchive : public PullTest {
 protected:
  void SetUp() override { registry_.push("acme/app", "1.0", image_); }

  const SampleImage image_ = make_image({.layers = {seeded_layer(1, 9'000'001), seeded_layer(2, 70'000)}});
};

TEST_F(PullArchive, IsTheSameAsAFileOnStandardOutputAndInAMount) {
  if (const std::string reason = why_no_mounts(); !reason.empty()) GTEST_SKIP() << reason;
  const Pulled file = pull({"-o", "a.tar", name_of("acme/app", "1.0")});
  ASSERT_EQ(file.status, 0) << file.error;
  EXPECT_EQ(file.output, "");
  const std::unique_ptr<Pulling> stream = start({"--no-cache", "-o", "-", name_of("acme/app", "1.0")});
  ASSERT_EQ(stream->end(), 0) << stream->said();
  const MountedRegfs mount;
  ASSERT_TRUE(mount.mounted()) << mount.log();
  const std::string mounted = mount / registry_.host() / "acme" / "app" / "1.0" / "linux-amd64.tar";
  ASSERT_EQ(run({"cp", mounted, in("c.tar")}).status, 0);

  const ArchiveModel model = model_of(image_, "acme/app", "1.0");
  EXPECT_TRUE(is_archive(in("a.tar"), model));
  EXPECT_TRUE(is_archive(last_output_, model));
  EXPECT_TRUE(is_archive(in("c.tar"), model));
}

TEST_F(PullArchive, StreamsBeforeAllHasCome) {
  const std::string stuck = FakeRegistry::blob_path("acme/app", image_.layers[1].digest);
  registry_.break_path(stuck, holds());
  const std::unique_ptr<Pulling> stream = start({"-o", "-", name_of("acme/app", "1.0")});
  EXPECT_TRUE(eventually(kSoon, [&] {
    const auto status = stat_of(last_output_);
    return status && status->st_size > 8'000'000;
  })) << stream->said();
  registry_.mend(stuck);
  EXPECT_EQ(stream->end(), 0) << stream->said();
  EXPECT_TRUE(is_archive(last_output_, model_of(image_, "acme/app", "1.0")));
}

TEST_F(PullArchive, OfADigestIsThatOfTheDigest) {
  const Pulled pulled = pull({"-o", "a.tar", registry_.host() + "/acme/app@" + image_.digest.str()});
  ASSERT_EQ(pulled.status, 0) << pulled.error;
  EXPECT_TRUE(is_archive(in("a.tar"), ArchiveModel(image_, std::nullopt)));
}

TEST_F(PullArchive, OfThirtyLayersThroughOneDownloadAtATime) {
  std::vector<SampleLayer> layers;
  for (uint64_t i = 0; i < 30; ++i) layers.push_back(seeded_layer(100 + i, 50'000));
  const SampleImage image = make_image({.layers = layers});
  registry_.push("many", "latest", image);
  const Pulled pulled = pull({"--max-concurrent-downloads", "1", "-o", "a.tar", name_of("many")});
  ASSERT_EQ(pulled.status, 0) << pulled.error;
  EXPECT_TRUE(is_archive(in("a.tar"), model_of(image, "many")));
}

TEST_F(PullArchive, OfNoLayersIsWhole) {
  const SampleImage image = make_image({.layers = {}});
  registry_.push("empty", "latest", image);
  const Pulled pulled = pull({"-o", "a.tar", name_of("empty")});
  ASSERT_EQ(pulled.status, 0) << pulled.error;
  EXPECT_TRUE(is_archive(in("a.tar"), model_of(image, "empty")));
}

TEST_F(PullArchive, OfAnImageInTheDockerFlavour) {
  const SampleImage image =
      make_image({.layers = {seeded_layer(5, 200'000, Flavour::docker)}, .flavour = Flavour::docker});
  registry_.push("docker", "latest", image);
  const Pulled pulled = pull({"-o", "a.tar", name_of("docker")});
  ASSERT_EQ(pulled.status, 0) << pulled.error;
  EXPECT_TRUE(is_archive(in("a.tar"), model_of(image, "docker")));
}

TEST_F(PullArchive, IsThatOfTheTagAsItIsNowAndNotAsItWas) {
  ASSERT_EQ(pull({"-o", "a.tar", name_of("acme/app", "1.0")}).status, 0);
  const SampleImage newer = make_image({.layers = {seeded_layer(3, 80'000)}});
  registry_.push("acme/app", "1.0", newer);
  ASSERT_EQ(pull({"-o", "a.tar", name_of("acme/app", "1.0")}).status, 0);
  EXPECT_TRUE(is_archive(in("a.tar"), model_of(newer, "acme/app", "1.0")));
}

TEST_F(PullArchive, IsOnlyDescribedByADryRun) {
  const ArchiveModel model = model_of(image_, "acme/app", "1.0");
  const Pulled dry = pull({"--dry-run", name_of("acme/app", "1.0")});
  EXPECT_EQ(dry.status, 0) << dry.error;
  EXPECT_TRUE(files().empty());
  EXPECT_EQ(sent_bytes(), image_.config.size());
  EXPECT_TRUE(contains(dry.output, image_.layers[0].digest.str()));
  EXPECT_TRUE(contains(dry.output, "2 layers"));
  EXPECT_TRUE(contains(dry.output, "(" + std::to_string(model.size_bytes()) + " bytes)"));

  ASSERT_EQ(pull({"-o", "a.tar", name_of("acme/app", "1.0")}).status, 0);
  EXPECT_TRUE(contains(pull({"--dry-run", name_of("acme/app", "1.0")}).output, "of which 0 B to download"));
}

}  // namespace
}  // namespace regfs::test::archive_test
