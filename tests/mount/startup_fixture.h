// SPDX-License-Identifier: MIT
// What tests of starting need: a place to mount on, a cache, an image, and words for a refusal.
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/mount/mount_fixture.h"

namespace regfs::test {

// A program that cannot start says so in this time.
inline constexpr std::chrono::seconds kRefusedWithin{5};

class StartupWorld : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (IsSkipped()) return;
    registry_.push("app", "latest", image_);
    ::mkdir(mountpoint_.c_str(), 0755);
  }
  void TearDown() override { unmount_all(mountpoint_); }

  // Runs regfs in the foreground, where it must end by itself, with one sentence that holds the words.
  void expect_refusal(std::vector<std::string> arguments, const std::vector<std::string>& words) const {
    arguments.insert(arguments.begin(), regfs_program());
    expect_refusal_of(arguments, words);
  }
  static void expect_refusal_of(const std::vector<std::string>& command, const std::vector<std::string>& words) {
    const auto begin = std::chrono::steady_clock::now();
    const Finished finished = run(command);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, kRefusedWithin);
    EXPECT_GT(finished.status, 0) << "it ran, or died: " << finished.status;
    EXPECT_LT(finished.status, 126);
    EXPECT_EQ(finished.output, "");
    EXPECT_EQ(std::count(finished.error.begin(), finished.error.end(), '\n'), 1) << finished.error;
    for (const std::string& word : words) EXPECT_TRUE(contains(finished.error, word));
  }

  // The command as nobody runs it, who owns the cache and may enter the scratch directory.
  std::vector<std::string> as_nobody(const std::vector<std::string>& command) const {
    std::vector<std::string> words{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
    words.insert(words.end(), command.begin(), command.end());
    return words;
  }
  // Why not; empty when nobody may run regfs here.
  std::string let_nobody_in() const {
    if (run(as_nobody({"test", "-x", regfs_program()})).status != 0) return "nobody may not run " + regfs_program();
    ::chmod(scratch_.path().c_str(), 0755);
    ::mkdir(cache_.c_str(), 0700);
    return ::chown(cache_.c_str(), 65534, 65534) == 0 ? "" : "a directory cannot be given to nobody";
  }

  const SampleImage image_ = make_image({.layers = {seeded_layer(1, 100'000)}});
  const TempDir scratch_;
  const std::string mountpoint_ = scratch_ / "mnt";
  const std::string cache_ = scratch_ / "cache";
};

}  // namespace regfs::test
