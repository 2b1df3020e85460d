// SPDX-License-Identifier: MIT
// What the documents name exists: options, presets, files.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "tools/cache_options.h"
#include "tools/mount_option_table.h"
#include "tools/pull_options.h"

namespace regfs::readme_test {
namespace {

const std::filesystem::path kSource = REGFS_SOURCE_DIR;

std::string text_of(const std::string& name) {
  std::ifstream file(kSource / name);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::set<std::string> found(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern);
  std::set<std::string> matches;
  for (std::sregex_iterator match(text.begin(), text.end(), expression), end; match != end; ++match) {
    matches.insert((*match)[1]);
  }
  return matches;
}

class Document : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { ASSERT_FALSE(text_of(GetParam()).empty()) << GetParam(); }
};

TEST_P(Document, NamesOnlyFilesThatExist) {
  const std::string text = text_of(GetParam());
  // `fs/tree.cc`, `./demo.sh`, [text](man/regfs.1)
  const std::string in_house = "(?:base|registry|cache|fs|tools|tests|man|scripts|cmake|\\.ci)/[A-Za-z0-9_./-]*";
  std::set<std::string> names = found(text, "`(" + in_house + ")`");
  names.merge(found(text, "\\./([A-Za-z0-9_-]+\\.sh)"));
  names.merge(found(text, "\\]\\(([A-Za-z0-9_./-]+)\\)"));
  for (const std::string& name : names) EXPECT_TRUE(std::filesystem::exists(kSource / name)) << name;
}

TEST_P(Document, NamesOnlyPresetsThatExist) {
  const std::string presets = text_of("CMakePresets.json");
  for (const std::string& name : found(text_of(GetParam()), "--preset ([a-z]+)")) {
    EXPECT_NE(presets.find("\"name\": \"" + name + "\""), std::string::npos) << name;
  }
}

TEST_P(Document, NamesOnlyOptionsThatExist) {
  const std::set<std::string> of_others{"preset", "target",   "build",         "install", "prefix",
                                        "tests",  "workflow", "apparent-size", "dry-run"};
  for (const std::string& name : found(text_of(GetParam()), "--([a-z][a-z-]+)")) {
    EXPECT_TRUE(of_others.contains(name) || mount_option_table().find(name) != nullptr ||
                pull_option_table().find(name) != nullptr || cache_option_table().find(name) != nullptr)
        << "--" << name;
  }
}

std::string stem_of(const testing::TestParamInfo<const char*>& document) {
  return std::filesystem::path(document.param).stem();
}

INSTANTIATE_TEST_SUITE_P(All, Document,
                         testing::Values("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"), stem_of);

TEST(Readme, NamesEveryOption) {
  const std::string text = text_of("README.md");
  for (const OptionTable* table : {&mount_option_table(), &pull_option_table(), &cache_option_table()}) {
    for (const OptionRow& row : *table) {
      if (row.apply == nullptr) continue;
      EXPECT_NE(text.find("--" + std::string(row.name)), std::string::npos) << row.name;
    }
  }
}

TEST(Readme, SaysWhyEachPackageIsNeeded) {
  const std::string readme = text_of("README.md");
  const std::string script = text_of("scripts/install-dependencies.sh");
  for (const std::string& list : found(script, "packages=\\(\\n([^)]*)\\)")) {
    for (const std::string& package : found(list, "([a-z0-9.+-]+)")) {
      EXPECT_NE(readme.find("`" + package + "`"), std::string::npos) << package;
    }
  }
}

}  // namespace
}  // namespace regfs::readme_test
