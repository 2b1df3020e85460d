// SPDX-License-Identifier: MIT
// What fuzzers have met or should begin with, on every run and with every compiler: the corpus as it is, cut at
// every byte, and with bytes changed.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/targets.h"

namespace regfs::fuzz::replay_test {
namespace {

constexpr int kChangesOfEach = 300;

std::vector<std::string> corpus_of(const Target& target) {
  std::vector<std::string> texts;
  const std::string directory = std::string(REGFS_SOURCE_DIR "/tests/fuzz/corpus/") + std::string(target.name);
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    std::ifstream file(entry.path(), std::ios::binary);
    texts.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return texts;
}

class FuzzReplay : public testing::TestWithParam<Target> {};

TEST_P(FuzzReplay, LivesThroughItsCorpusWholeCutAndChanged) {
  const std::vector<std::string> texts = corpus_of(GetParam());
  ASSERT_GE(texts.size(), 3u) << "tests/fuzz/corpus/" << GetParam().name;
  std::mt19937 random(1);
  for (const std::string& text : texts) {
    GetParam().run(text);
    for (size_t end = 0; end < text.size(); ++end) GetParam().run(std::string_view(text).substr(0, end));
    for (int change = 0; change < kChangesOfEach && !text.empty(); ++change) {
      std::string changed = text;
      for (unsigned count = random() % 4 + 1; count > 0; --count)
        changed[random() % changed.size()] = static_cast<char>(random());
      GetParam().run(changed);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, FuzzReplay, testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace regfs::fuzz::replay_test
