// SPDX-License-Identifier: MIT
// What every test of regfs-pull begins with: a registry, a cache, a directory to work in, and the program as a user
// runs it. Nothing of the user who runs the tests is seen by it: HOME is the scratch directory.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/archive_model.h"
#include "tests/support/child_process.h"
#include "tests/support/fake_registry.h"
#include "tests/support/posix_file.h"
#include "tests/support/temp_dir.h"

namespace regfs::test {

// Exit codes, as the manual lists them.
inline constexpr int kUsage = 64;
inline constexpr int kBadData = 65;
inline constexpr int kNotFound = 66;
inline constexpr int kUnavailable = 69;
inline constexpr int kCannotCreate = 73;
inline constexpr int kDiskFailure = 74;
inline constexpr int kTryLater = 75;
inline constexpr int kNotARegistry = 76;
inline constexpr int kDenied = 77;
inline constexpr int kInterrupted = 130;
inline constexpr int kTerminated = 143;

// What another process does in its own time is waited for so long.
inline constexpr std::chrono::seconds kSoon{30};

inline std::string pull_program() {
  const char* const given = std::getenv("REGFS_PULL_BINARY");
  return given != nullptr ? given : REGFS_PULL_BINARY;
}

inline testing::AssertionResult contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "no \"" << part << "\" in:\n" << text;
}

// A regfs-pull that runs; killed at the latest with the object.
class Pulling {
 public:
  Pulling(const std::vector<std::string>& command, const std::string& output, const std::string& error)
      : error_(error), process_(command, {.standard = output, .error = error}) {}

  ChildProcess& process() { return process_; }
  std::string said() const { return text_file(error_); }  // standard error so far
  // Its exit status; -1 when it still runs after kSoon.
  int end() { return process_.wait(kSoon).value_or(-1); }

 private:
  const std::string error_;
  ChildProcess process_;
};

struct Pulled {
  int status;
  std::string output;
  std::string error;
};

class PullTest : public testing::Test {
 protected:
  PullTest() { ::mkdir(directory_.c_str(), 0755); }

  std::string name_of(const std::string& repository, const std::string& tag = "latest") const {
    return registry_.host() + "/" + repository + ":" + tag;
  }
  ArchiveModel model_of(const SampleImage& image, const std::string& repository,
                        const std::string& tag = "latest") const {
    return {image, registry_.host(), repository, tag};
  }
  std::string in(const std::string& name) const { return directory_ + "/" + name; }

  // The program with its cache, in the test's directory; env becomes it by exec. Variables are NAME=VALUE.
  std::vector<std::string> command(const std::vector<std::string>& arguments,
                                   const std::vector<std::string>& variables = {}) const {
    std::vector<std::string> words{"env", "-C", directory_, "-u", "NO_COLOR", "HOME=" + scratch_.path()};
    words.insert(words.end(), variables.begin(), variables.end());
    words.insert(words.end(), {pull_program(), "--cache-dir", cache_});
    words.insert(words.end(), arguments.begin(), arguments.end());
    return words;
  }
  std::unique_ptr<Pulling> start(const std::vector<std::string>& arguments,
                                 const std::vector<std::string>& variables = {}) {
    const std::string number = std::to_string(++runs_);
    last_output_ = scratch_ / "output." + number;
    return std::make_unique<Pulling>(command(arguments, variables), last_output_, scratch_ / "error." + number);
  }
  Pulled pull(const std::vector<std::string>& arguments, const std::vector<std::string>& variables = {}) {
    const std::unique_ptr<Pulling> pulling = start(arguments, variables);
    const int status = pulling->end();
    return {status, text_file(last_output_), pulling->said()};
  }

  // It ends with that code, and one sentence that holds the words.
  void expect_refusal(const std::vector<std::string>& arguments, int status, const std::vector<std::string>& words) {
    const Pulled pulled = pull(arguments);
    EXPECT_EQ(pulled.status, status) << pulled.error;
    EXPECT_EQ(pulled.output, "");
    EXPECT_EQ(std::count(pulled.error.begin(), pulled.error.end(), '\n'), 1) << pulled.error;
    EXPECT_TRUE(pulled.error.starts_with("regfs-pull: ")) << pulled.error;
    for (const std::string& word : words) EXPECT_TRUE(contains(pulled.error, word));
  }

  // What lies in the test's directory, sorted.
  std::vector<std::string> files() const { return list_directory(directory_).names; }
  static testing::AssertionResult is_archive(const std::string& path, const ArchiveModel& model) {
    const DigestOutcome got = digest_of_file(path);
    if (!got.digest) return testing::AssertionFailure() << path << ": error " << got.error;
    if (*got.digest == model.digest()) return testing::AssertionSuccess();
    return testing::AssertionFailure() << path << " has " << got.size_bytes << " bytes instead of "
                                       << model.size_bytes() << ", or others";
  }

  // Tags 1 and 2, of four layers each: three of 6 MiB together are the same, the fourth has 4 MiB and 5.
  std::pair<SampleImage, SampleImage> push_two_that_share_three_layers(const std::string& repository) {
    constexpr uint64_t kMiB = 1 << 20;
    const auto image_with = [](const SampleLayer& fourth) {
      return make_image(
          {.layers = {seeded_layer(1, kMiB), seeded_layer(2, 2 * kMiB), seeded_layer(3, 3 * kMiB), fourth}});
    };
    std::pair<SampleImage, SampleImage> images{image_with(seeded_layer(4, 4 * kMiB)),
                                               image_with(seeded_layer(5, 5 * kMiB))};
    registry_.push(repository, "1", images.first);
    registry_.push(repository, "2", images.second);
    return images;
  }

  // Bytes of blobs that the registry has sent, and the requests for them.
  uint64_t sent_bytes() const {
    uint64_t sum = 0;
    for (const JournalEntry& entry : registry_.journal().entries()) {
      if (entry.path.find("/blobs/") != std::string::npos) sum += entry.sent_bytes;
    }
    return sum;
  }
  size_t requests_for(const std::string& repository, const SampleLayer& layer) const {
    return registry_.journal().spans_of(FakeRegistry::blob_path(repository, layer.digest)).size();
  }
  static uint64_t layer_bytes(const SampleImage& image) {
    uint64_t sum = 0;
    for (const SampleLayer& layer : image.layers) sum += layer.content->size_bytes();
    return sum;
  }

  FakeRegistry registry_;
  const TempDir scratch_;
  const std::string directory_ = scratch_ / "work";
  std::string cache_ = scratch_ / "cache";
  std::string last_output_;  // the file that is the standard output of the run that started last
  int runs_ = 0;
};

}  // namespace regfs::test
