// SPDX-License-Identifier: MIT
// What the cache has been good for is counted by all who use it, and told by stats.
#include "tests/cachetool/cachetool_fixture.h"

namespace regfs::test::stats_test {
namespace {

class CacheStatsTold : public CacheToolTest {
 protected:
  struct Counts {
    uint64_t hits = 0;
    uint64_t misses = 0;
    uint64_t saved_bytes = 0;
    friend bool operator==(const Counts&, const Counts&) = default;
  };
  Counts counts() const {
    const nlohmann::json stats = tool_json({"stats"});
    return {stats["hits"], stats["misses"], stats["saved_bytes"]};
  }
  void pull_well(const std::string& tag) {
    const Pulled pulled = pull({"--platform=linux/amd64", "-o", "a.tar", name_of("script", tag)});
    ASSERT_EQ(pulled.status, 0) << pulled.error;
  }
};

TEST_F(CacheStatsTold, AnImageThenOneThatSharesThreeOfFourLayersThenTheFirstAgain) {
  push_two_that_share_three_layers("script");
  pull_well("1");
  EXPECT_TRUE((counts() == Counts{0, 4, 0}));
  pull_well("2");
  EXPECT_TRUE((counts() == Counts{3, 5, 6 * kMiB}));
  const std::string said = tool({"stats"}).output;
  EXPECT_TRUE(contains(said, "hits          3\n"));
  EXPECT_TRUE(contains(said, "saved         6.0 MiB\n"));
  registry_.journal().forget();
  pull_well("1");
  EXPECT_TRUE((counts() == Counts{7, 5, 16 * kMiB}));
  EXPECT_EQ(sent_bytes(), 0u);
}

TEST_F(CacheStatsTold, MountsCountToo) {
  if (const std::string why = why_no_mounts(); !why.empty()) GTEST_SKIP() << why;
  pulled_image();
  {
    MountedRegfs mount({.cache_directory = cache_});
    ASSERT_TRUE(mount.mounted()) << mount.log();
    const std::string path = mount / registry_.host() / "app" / "1" / "linux-amd64.tar";
    EXPECT_EQ(counts().hits, 0u);
    EXPECT_EQ(read_file(path).error, 0) << mount.log();
    // It reaches the disk while the mount lives.
    EXPECT_TRUE(eventually(kSoon, [&] { return counts().hits == 2; }));
  }
  EXPECT_TRUE((counts() == Counts{2, 2, 3 * kMiB}));
}

TEST_F(CacheStatsTold, WithoutACacheNothingIsCounted) {
  pulled_image();
  ASSERT_EQ(pull({"--no-cache", "--platform=linux/amd64", "-o", "b.tar", name_of("app", "1")}).status, 0);
  EXPECT_TRUE((counts() == Counts{0, 2, 0}));
}

}  // namespace
}  // namespace regfs::test::stats_test
