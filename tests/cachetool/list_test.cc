// SPDX-License-Identifier: MIT
// What is said of a cache is what is in it; and looking makes nothing.
#include <filesystem>
#include <set>

#include "tests/cachetool/cachetool_fixture.h"

namespace regfs::test::list_test {
namespace {

using CacheList = CacheToolTest;

TEST_F(CacheList, MakesNoCacheDirectoryAndSaysThatThereIsNone) {
  for (const char* command : {"list", "stats", "verify", "gc"}) {
    const Finished finished = tool({command});
    EXPECT_EQ(finished.status, kNotFound) << command;
    EXPECT_EQ(finished.output, "");
    EXPECT_TRUE(contains(finished.error, "regfs-cache: there is no cache directory " + cache_));
  }
  const Finished path = tool({"path", seeded_layer(1, 10).digest.str()});
  EXPECT_EQ(path.status, kNotFound);
  EXPECT_EQ(tool({"path"}).output, cache_ + "\n");
  EXPECT_FALSE(exists(cache_));
}

TEST_F(CacheList, RefusesACacheOfANewerFormat) {
  const SampleImage image = pulled_image();
  std::ofstream(cache_ + "/regfs-cache") << "regfs cache format 2\n";
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"list"}, {"stats"}, {"verify"}, {"gc"}, {"import", in("first.tar")}, {"path", image.digest.str()}}) {
    const Finished finished = tool(command);
    EXPECT_EQ(finished.status, kBadData) << command[0];
    EXPECT_EQ(finished.output, "");
    EXPECT_TRUE(contains(finished.error, "belongs to a newer regfs"));
  }
  EXPECT_TRUE(has(image.layers[0].digest));
}

TEST_F(CacheList, ShowsImagesAndBlobsToPeople) {
  const SampleImage image = pulled_image();
  const Finished finished = tool({"list"});
  ASSERT_EQ(finished.status, 0) << finished.error;
  EXPECT_TRUE(contains(finished.output, name_of("app", "1") + "  linux/amd64  " + image.digest.str()));
  EXPECT_TRUE(contains(finished.output, image.layers[0].digest.str() + "  2.0 MiB  20"));
  EXPECT_TRUE(contains(finished.output, "complete"));
}

TEST_F(CacheList, ShowsImagesAndBlobsToPrograms) {
  const SampleImage image = pulled_image();
  const nlohmann::json report = tool_json({"list"});
  ASSERT_EQ(report["images"].size(), 1u);
  const nlohmann::json& shown = report["images"][0];
  EXPECT_EQ(shown["reference"], name_of("app", "1"));
  EXPECT_EQ(shown["platform"], "linux/amd64");
  EXPECT_EQ(shown["digest"], image.digest.str());
  EXPECT_EQ(shown["size_bytes"], 3 * kMiB + image.config.size());
  EXPECT_EQ(shown["complete"], true);
  std::set<std::string> digests;
  for (const nlohmann::json& blob : report["blobs"]) digests.insert(blob["digest"]);
  EXPECT_EQ(digests, (std::set<std::string>{image.layers[0].digest.str(), image.layers[1].digest.str(),
                                            image.config_digest.str(), image.digest.str()}));

  const nlohmann::json stats = tool_json({"stats"});
  EXPECT_EQ(stats["blobs"]["count"], 2);
  EXPECT_EQ(stats["blobs"]["bytes"], 3 * kMiB);
  EXPECT_EQ(stats["documents"]["count"], 2);
  EXPECT_EQ(stats["parts"]["count"], 0);
  EXPECT_EQ(stats["repositories"], 1);
  EXPECT_EQ(stats["tags"], 1);
}

TEST_F(CacheList, ShowsAnImageThatWasAskedForByDigest) {
  const SampleImage image = make_image({.layers = {seeded_layer(1, kMiB)}});
  registry_.push("app", "1", image);
  ASSERT_EQ(pull({"-o", "a.tar", registry_.host() + "/app@" + image.digest.str()}).status, 0);
  const nlohmann::json report = tool_json({"list"});
  ASSERT_EQ(report["images"].size(), 1u);
  const std::string reference = registry_.host() + "/app@" + image.digest.str();
  EXPECT_EQ(report["images"][0]["reference"], reference);
  EXPECT_EQ(report["images"][0]["digest"], image.digest.str());
  EXPECT_EQ(report["images"][0]["platform"], "linux/amd64");
  EXPECT_EQ(report["images"][0]["complete"], true);
  EXPECT_TRUE(contains(tool({"list"}).output, reference + "  linux/amd64  " + image.digest.str()));
  // Once its tag is known it has that name, and is shown once.
  ASSERT_EQ(pull({"-o", "b.tar", name_of("app", "1")}).status, 0);
  const nlohmann::json named = tool_json({"list"});
  ASSERT_EQ(named["images"].size(), 1u);
  EXPECT_EQ(named["images"][0]["reference"], name_of("app", "1"));
}

TEST_F(CacheList, ShowsHowMuchOfALayerHasCome) {
  const SampleLayer layer = seeded_layer(1, 30 * kMiB);
  registry_.push("app", "1", make_image({.layers = {layer}}));
  registry_.break_path(FakeRegistry::blob_path("app", layer.digest), cuts_at(20 * kMiB));
  EXPECT_NE(pull({"--platform=linux/amd64", "--read-timeout=2", name_of("app", "1")}).status, 0);
  const nlohmann::json report = tool_json({"list"});
  ASSERT_EQ(report["images"].size(), 1u);
  EXPECT_EQ(report["images"][0]["complete"], false);
  bool seen = false;
  for (const nlohmann::json& blob : report["blobs"]) {
    if (blob["digest"] != layer.digest.str()) continue;
    seen = true;
    EXPECT_EQ(blob["complete"], false);
    EXPECT_GT(blob["present_bytes"], 0);
    EXPECT_LT(blob["present_bytes"], 30 * kMiB);
  }
  EXPECT_TRUE(seen);
  EXPECT_EQ(tool_json({"stats"})["parts"]["count"], 1);
}

TEST_F(CacheList, KnowsWhereABlobIs) {
  const SampleImage image = pulled_image();
  const Digest& digest = image.layers[0].digest;
  EXPECT_EQ(tool({"path", digest.str()}).output, published_path(cache_, digest) + "\n");
  EXPECT_EQ(tool({"path", digest.hex()}).output, published_path(cache_, digest) + "\n");
  EXPECT_EQ(tool_json({"path", digest.str()})["path"], published_path(cache_, digest));
  const Finished missing = tool({"path", seeded_layer(9, 10).digest.str()});
  EXPECT_EQ(missing.status, kNotFound);
  EXPECT_EQ(missing.output, "");
  EXPECT_TRUE(contains(missing.error, "is not in the cache"));
}

TEST_F(CacheList, SaysThatStandardOutputIsFull) {
  pulled_image();
  ChildProcess process({cache_program(), "--cache-dir", cache_, "list"}, {.standard = "/dev/full"});
  EXPECT_EQ(process.wait(kSoon), kDiskFailure);
}

}  // namespace
}  // namespace regfs::test::list_test
