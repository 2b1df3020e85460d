// SPDX-License-Identifier: MIT
// Who may include whom. The folders are layers: base, then registry and cache side by side, then fs,
// then the tools; and each library of others stays where it is wrapped.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace regfs::include_rules_test {
namespace {

struct Include {
  std::string path;
  bool quoted;
};

std::string without_block_comments(const std::string& text) {
  std::string kept;
  for (size_t at = 0; at < text.size();) {
    const size_t start = text.find("/*", at);
    kept += text.substr(at, start == std::string::npos ? start : start - at);
    if (start == std::string::npos) break;
    const size_t end = text.find("*/", start + 2);
    at = end == std::string::npos ? text.size() : end + 2;
  }
  return kept;
}

std::vector<Include> includes_of(const std::string& text) {
  static const std::regex line(R"((?:^|\n)[ \t]*#[ \t]*(?:include|import)[ \t]*(<[^>\n]*>|"[^"\n]*"|[^\n]*))");
  const std::string code = without_block_comments(text);
  std::vector<Include> includes;
  for (auto it = std::sregex_iterator(code.begin(), code.end(), line); it != std::sregex_iterator(); ++it) {
    const std::string written = (*it)[1];
    const bool quoted = written.starts_with('"');
    const bool plain = quoted || written.starts_with('<');
    includes.push_back({plain ? written.substr(1, written.size() - 2) : written, quoted || !plain});
  }
  return includes;
}

std::string folder_of(std::string_view path) {
  return std::string(path.substr(0, path.find('/')));
}

// What each folder builds on. Tests and scripts are no folder here: they may see everything.
const std::map<std::string, std::set<std::string>>& layers() {
  static const std::map<std::string, std::set<std::string>> table = {
      {"base", {"base"}},
      {"registry", {"base", "registry"}},
      {"cache", {"base", "cache"}},
      {"fs", {"base", "registry", "cache", "fs"}},
      {"tools", {"base", "registry", "cache", "fs", "tools"}},
  };
  return table;
}

struct LibraryRule {
  std::string wrapped;
  std::regex headers;
  std::regex allowed_in;
};

const std::vector<LibraryRule>& library_rules() {
  static const std::vector<LibraryRule> rules = {
      {"curl", std::regex("curl/.*"), std::regex(R"(registry/(http_loop\.cc|http_transfer\.(h|cc)))")},
      {"OpenSSL", std::regex("openssl/.*"), std::regex(R"(base/sha256\.cc)")},
      {"nlohmann/json", std::regex("nlohmann/.*"), std::regex(R"(.*\.cc)")},
      {"libfuse", std::regex("(fuse3?/)?(fuse|cuse)(_[a-z]+)?\\.h"), std::regex(R"(fs/fuse_[a-z_]+\.cc|tools/.*)")},
      {"CLI11", std::regex("CLI/.*"), std::regex("tools/.*")},
  };
  return rules;
}

// What is wrong with the includes of the file at `path` (from the root of the project); empty: nothing.
std::vector<std::string> violations(const std::string& path, const std::string& text) {
  std::vector<std::string> found;
  const auto& seen = layers().at(folder_of(path));
  for (const Include& include : includes_of(text)) {
    if (include.quoted && !layers().contains(folder_of(include.path))) {
      found.push_back(path + " includes \"" + include.path +
                      "\": own headers are named from the root, tests are not seen");
    } else if (layers().contains(folder_of(include.path)) && include.path.find('/') != std::string::npos &&
               !seen.contains(folder_of(include.path))) {
      found.push_back(path + " includes " + include.path + ": " + folder_of(path) + "/ does not know " +
                      folder_of(include.path) + "/");
    }
    for (const LibraryRule& rule : library_rules()) {
      if (std::regex_match(include.path, rule.headers) && !std::regex_match(path, rule.allowed_in)) {
        found.push_back(path + " includes " + include.path + ": " + rule.wrapped + " is wrapped elsewhere");
      }
    }
  }
  return found;
}

std::vector<std::string> sources() {
  const std::filesystem::path root(REGFS_SOURCE_DIR);
  std::vector<std::string> paths;
  for (const auto& [folder, unused] : layers()) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension().string();
      if (extension == ".h" || extension == ".cc") paths.push_back(entry.path().lexically_relative(root).string());
    }
  }
  return paths;
}

std::string text_of(const std::string& path) {
  std::ifstream file(std::filesystem::path(REGFS_SOURCE_DIR) / path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// One include line in a file at `path`.
bool may(const std::string& path, const std::string& include) {
  return violations(path, "#pragma once\n#include " + include + "\n").empty();
}

TEST(IncludeRules, RefuseThatRegistryAndCacheKnowEachOther) {
  EXPECT_FALSE(may("registry/client.cc", "\"cache/store.h\""));
  EXPECT_FALSE(may("cache/store.cc", "\"registry/client.h\""));
  EXPECT_FALSE(may("cache/store.cc", "<registry/client.h>"));
}

TEST(IncludeRules, RefuseThatALayerKnowsTheOneAbove) {
  EXPECT_FALSE(may("base/log.h", "\"registry/client.h\""));
  EXPECT_FALSE(may("base/log.h", "\"fs/tree.h\""));
  EXPECT_FALSE(may("registry/client.cc", "\"fs/tree.h\""));
  EXPECT_FALSE(may("cache/store.cc", "\"tools/options.h\""));
  EXPECT_FALSE(may("fs/tree.cc", "\"tools/options.h\""));
}

TEST(IncludeRules, RefuseThatTheProgramKnowsItsTests) {
  EXPECT_FALSE(may("fs/tree.cc", "\"tests/support/fake_clock.h\""));
  EXPECT_FALSE(may("tools/regfs_main.cc", "\"tests/support/fake_clock.h\""));
}

TEST(IncludeRules, RefuseHeadersThatAreNotNamedFromTheRoot) {
  EXPECT_FALSE(may("fs/tree.cc", "\"tree.h\""));
  EXPECT_FALSE(may("fs/tree.cc", "\"../base/log.h\""));
  EXPECT_FALSE(may("fs/tree.cc", "A_MACRO"));
}

TEST(IncludeRules, RefuseLibrariesOutsideTheirWrapper) {
  EXPECT_FALSE(may("registry/client.cc", "<curl/curl.h>"));
  EXPECT_FALSE(may("registry/http_loop.h", "<curl/curl.h>"));
  EXPECT_TRUE(may("registry/http_transfer.h", "<curl/curl.h>"));
  EXPECT_FALSE(may("cache/verify.cc", "<openssl/evp.h>"));
  EXPECT_FALSE(may("base/sha256.h", "<openssl/evp.h>"));
  EXPECT_FALSE(may("registry/manifest.h", "<nlohmann/json.hpp>"));
  EXPECT_FALSE(may("registry/manifest.h", "<nlohmann/json_fwd.hpp>"));
  EXPECT_FALSE(may("fs/tree.cc", "<fuse3/fuse_lowlevel.h>"));
  EXPECT_FALSE(may("fs/fuse_ops.h", "<fuse_lowlevel.h>"));
  EXPECT_FALSE(may("cache/store.cc", "<fuse.h>"));
  EXPECT_FALSE(may("fs/tree.cc", "<CLI/CLI.hpp>"));
}

TEST(IncludeRules, SeeAnIncludeHoweverItIsSpaced) {
  EXPECT_FALSE(violations("fs/tree.cc", "#include <curl/curl.h>").empty());
  EXPECT_FALSE(violations("fs/tree.cc", "int x;\r\n \t# \tinclude\t<curl/curl.h> // why\n").empty());
  EXPECT_FALSE(violations("fs/tree.cc", "#ifdef X\n#include\"tools/options.h\"\n#endif").empty());
  EXPECT_FALSE(violations("fs/tree.cc", "/* a */\n#include <string>\n#include <curl/curl.h>\n").empty());
}

TEST(IncludeRules, NameTheFileAndWhatItMayNotInclude) {
  EXPECT_EQ(violations("cache/store.cc", "#include \"registry/client.h\"\n#include <curl/curl.h>\n"),
            (std::vector<std::string>{"cache/store.cc includes registry/client.h: cache/ does not know registry/",
                                      "cache/store.cc includes curl/curl.h: curl is wrapped elsewhere"}));
}

TEST(IncludeRules, OverlookCommentsAndWords) {
  EXPECT_TRUE(violations("fs/tree.cc", "// #include <curl/curl.h>\n/*\n#include <curl/curl.h>\n*/\n").empty());
  EXPECT_TRUE(violations("fs/tree.cc", "const char* text = \"#include <curl/curl.h>\";\n").empty());
}

TEST(IncludeRules, AllowWhatTheLayersAreFor) {
  EXPECT_TRUE(may("fs/tree.cc", "\"registry/client.h\""));
  EXPECT_TRUE(may("fs/tree.cc", "\"cache/store.h\""));
  EXPECT_TRUE(may("cache/store.cc", "\"base/log.h\""));
  EXPECT_TRUE(may("tools/regfs_main.cc", "\"fs/tree.h\""));
  EXPECT_TRUE(may("registry/http_loop.cc", "<curl/curl.h>"));
  EXPECT_TRUE(may("base/sha256.cc", "<openssl/evp.h>"));
  EXPECT_TRUE(may("registry/manifest.cc", "<nlohmann/json.hpp>"));
  EXPECT_TRUE(may("fs/fuse_ops.cc", "<fuse3/fuse_lowlevel.h>"));
  EXPECT_TRUE(may("tools/regfs_main.cc", "<fuse_lowlevel.h>"));
  EXPECT_TRUE(may("tools/options.cc", "<CLI/CLI.hpp>"));
  EXPECT_TRUE(may("base/log.cc", "<sys/stat.h>"));
}

TEST(IncludeRules, AreKeptByEverySource) {
  const std::vector<std::string> paths = sources();
  for (const char* known : {"base/sha256.cc", "registry/manifest.h", "cache/blob.h", "fs/tar_layout.cc"}) {
    EXPECT_NE(std::find(paths.begin(), paths.end(), known), paths.end()) << known << " was not looked at";
  }
  for (const std::string& path : paths) {
    for (const std::string& violation : violations(path, text_of(path))) ADD_FAILURE() << violation;
  }
}

}  // namespace
}  // namespace regfs::include_rules_test
