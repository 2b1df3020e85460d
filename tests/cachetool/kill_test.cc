// SPDX-License-Identifier: MIT
// The crash harness, importing: `regfs-cache import` is killed at random instants, again and again.
#include <signal.h>

#include <cstdio>
#include <filesystem>
#include <random>
#include <set>

#include "tests/cachetool/cachetool_fixture.h"
#include "tests/support/process_facts.h"

namespace regfs::test::kill_test {
namespace {

class ImportKills : public CacheToolTest {
 protected:
  std::set<std::string> published() const {
    std::set<std::string> names;
    std::error_code none_yet;
    for (const auto& entry : std::filesystem::directory_iterator(cache_ + "/blobs/sha256", none_yet)) {
      names.insert(entry.path().filename());
    }
    return names;
  }
  // Imports, and is killed after so long if it still runs.
  bool import_and_kill(const std::string& archive, std::chrono::milliseconds life) const {
    ChildProcess importing({cache_program(), "--cache-dir", cache_, "import", archive}, {});
    if (importing.wait(life)) return false;
    importing.send(SIGKILL);
    return importing.wait(kSoon) == 128 + SIGKILL;
  }
};

TEST_F(ImportKills, AtAHundredInstantsLoseNothingAndFileNothingWrong) {
  const SampleImage image = make_image({.layers = {seeded_layer(1, 5 * kMiB), seeded_layer(2, 700'000),
                                                   seeded_layer(3, 3 * kMiB), seeded_layer(4, 90'000)}});
  std::ofstream(in("carried.tar"), std::ios::binary) << model_of(image, "app", "1").bytes();
  const auto begun = std::chrono::steady_clock::now();
  ASSERT_EQ(tool({"import", in("carried.tar")}).status, 0);
  const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
  const std::set<std::string> all = published();

  std::mt19937 random(20260101);
  const int kills = memory_is_the_programs_own() ? 100 : 15;
  int killed = 0, begun_anew = 0;
  std::filesystem::remove_all(cache_);
  for (int run = 0; run < kills && !HasFailure(); ++run) {
    const std::set<std::string> before = published();
    killed += import_and_kill(in("carried.tar"),
                              std::chrono::milliseconds(random() % (static_cast<uint64_t>(whole.count()) + 2)))
                  ? 1
                  : 0;
    const std::set<std::string> after = published();
    EXPECT_TRUE(std::includes(after.begin(), after.end(), before.begin(), before.end())) << "a blob was lost";
    // Where it was killed before it made the directory there is nothing to verify.
    const Finished verified = tool({"verify"});
    EXPECT_TRUE(verified.status == 0 || (verified.status == kNotFound && after.empty())) << verified.error;
    if (after != all) continue;
    std::filesystem::remove_all(cache_);
    ++begun_anew;
  }
  EXPECT_GT(killed, 0) << "none was alive when it was to be killed";
  EXPECT_EQ(tool({"import", in("carried.tar")}).status, 0);
  EXPECT_EQ(published(), all);
  std::printf("%d of %d killed while they imported, %d times anew\n", killed, kills, begun_anew);
}

}  // namespace
}  // namespace regfs::test::kill_test
