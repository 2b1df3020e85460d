// SPDX-License-Identifier: MIT
#include "tools/cache_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/sha256.h"

namespace regfs::cache_report_test {
namespace {

using Item = cache::Inventory::Item;

const Digest kOne = sha256_of("one");
const Digest kTwo = sha256_of("two");
const CacheItems kItems{{kOne, 3 << 20, 1 << 20, 1 << 20, 1'700'000'000'000'000'000, false},
                        {kTwo, 4 << 20, 4 << 20, 5 << 20, 0, true},
                        {kTwo, 700, 700, 4096, 0, true}};

TEST(CacheReport, EscapesWhatCameFromTheWire) {
  const std::string text = list_report({{"evil\x1b[2J:1", "li\nnux", kOne, std::nullopt}}, {}, Form::text);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("evil\\x1b[2J:1"), std::string::npos) << text;
  EXPECT_NE(text.find("li\\x0anux"), std::string::npos) << text;
  EXPECT_TRUE(nlohmann::json::accept(list_report({{"bad \xff", "", kOne, std::nullopt}}, {}, Form::json)));
}

TEST(CacheReport, PutsWordsInColumns) {
  const std::string text = list_report(
      {{"nginx:latest", "linux/amd64", kOne, 4 << 20, 1 << 20}, {"b:1", "", kTwo, std::nullopt}}, kItems, Form::text);
  const std::string digest_width(kOne.str().size() - 6, ' ');
  EXPECT_TRUE(text.starts_with("IMAGE         PLATFORM     DIGEST" + digest_width + "  SIZE     CACHED\n" +
                               "nginx:latest  linux/amd64  " + kOne.str() + "  4.0 MiB  1.0 MiB of it\n" +
                               "b:1           -            " + kTwo.str() + "  -        -\n\nBLOB"))
      << text;
  EXPECT_NE(text.find(kOne.str() + "  3.0 MiB  20"), std::string::npos) << text;
  EXPECT_NE(text.find("1.0 MiB of it\n"), std::string::npos) << text;
  EXPECT_NE(text.find("complete\n"), std::string::npos) << text;
}

TEST(CacheReport, GivesProgramsBytesAndTimes) {
  const nlohmann::json report =
      nlohmann::json::parse(list_report({{"nginx:latest", "", kOne, 10, 10}}, kItems, Form::json));
  EXPECT_EQ(report["images"][0]["platform"], nullptr);
  EXPECT_EQ(report["images"][0]["complete"], true);
  EXPECT_EQ(report["blobs"][0]["digest"], kOne.str());
  EXPECT_EQ(report["blobs"][0]["last_use"], "2023-11-14T22:13:20Z");
  EXPECT_EQ(report["blobs"][0]["present_bytes"], 1 << 20);
  EXPECT_EQ(report["blobs"][0]["complete"], false);
}

TEST(CacheReport, SumsUpWhatThereIs) {
  CacheStats stats = cache_stats("/cache", kItems);
  stats.tags = 7;
  stats.usage = {.hits = 3, .misses = 1, .saved_bytes = 5 << 20};
  const nlohmann::json report = nlohmann::json::parse(stats_report(stats, Form::json));
  EXPECT_EQ(report["directory"], "/cache");
  EXPECT_EQ(report["blobs"]["count"], 1);
  EXPECT_EQ(report["documents"]["bytes"], 700);
  EXPECT_EQ(report["parts"]["bytes"], 1 << 20);
  EXPECT_EQ(report["total"]["count"], 3);
  EXPECT_EQ(report["total"]["allocated_bytes"], (6 << 20) + 4096);
  EXPECT_EQ(report["tags"], 7);
  EXPECT_EQ(report["hits"], 3);
  EXPECT_EQ(report["misses"], 1);
  EXPECT_EQ(report["saved_bytes"], 5 << 20);
  const std::string text = stats_report(stats, Form::text);
  EXPECT_NE(text.find("parts         1        1.0 MiB\n"), std::string::npos) << text;
  EXPECT_NE(text.find("tags          7\n"), std::string::npos) << text;
  EXPECT_NE(text.find("misses        1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("saved         5.0 MiB\n"), std::string::npos) << text;
}

TEST(CacheReport, GivesAPathAsItIs) {
  EXPECT_EQ(path_report("/a b", std::nullopt, Form::text), "/a b\n");
  EXPECT_EQ(nlohmann::json::parse(path_report("/a b", kOne, Form::json))["digest"], kOne.str());
}

TEST(CacheReport, SaysWhatVerificationFoundAndWhatToDo) {
  const VerifySummary::Wrong left{kOne, "why", false};
  const VerifySummary::Wrong gone{kTwo, "why", true};
  EXPECT_EQ(verify_report({1, 1 << 20, {}, 0}, Form::text), "1 blob, 1.0 MiB: all are right\n");
  EXPECT_EQ(verify_report({3, 1 << 20, {}, 2}, Form::text),
            "3 blobs, 1.0 MiB: what could be checked is right, 2 could not be checked\n");
  EXPECT_EQ(verify_report({3, 1 << 20, {gone}, 0}, Form::text), "3 blobs, 1.0 MiB: 1 damaged, 1 dropped\n");
  const std::string text = verify_report({3, 1 << 20, {left, gone}, 0}, Form::text);
  EXPECT_TRUE(text.starts_with("3 blobs, 1.0 MiB: 2 damaged, 1 dropped\n'regfs-cache verify --repair' drops")) << text;
  const nlohmann::json report = nlohmann::json::parse(verify_report({3, 10, {left}, 1}, Form::json));
  EXPECT_EQ(report["damaged"][0]["digest"], kOne.str());
  EXPECT_EQ(report["damaged"][0]["dropped"], false);
  EXPECT_EQ(report["unchecked"], 1);
}

TEST(CacheReport, SaysWhatWasFreedAndWhyMoreIsLeft) {
  const GcSummary all{0, {2, 1, 3 << 20, 0}, {1, 1 << 20}};
  EXPECT_EQ(gc_report(all, Form::text), "freed 4.0 MiB: 2 blobs, 1 part, 1 file of debris\n0 B left\n");
  const GcSummary used{1 << 20, {0, 0, 0, 2 << 20}, {0, 0}};
  EXPECT_EQ(gc_report(used, Form::text),
            "freed 0 B: 0 blobs, 0 parts, 0 files of debris\n2.0 MiB left: it is in use, or cannot be removed\n");
  EXPECT_EQ(nlohmann::json::parse(gc_report(all, Form::json))["freed_bytes"], 4 << 20);
}

TEST(CacheReport, SaysWhatWasImportedAndWhatNot) {
  ImportSummary summary{{{kOne, "linux/amd64", true}, {kTwo, "", false}}, {2, 1 << 20}, {0, 0}, {}, {}};
  EXPECT_EQ(import_report(summary, Form::text),
            "image " + kOne.str() + " linux/amd64\nimage with the config " + kTwo.str() + "\nfiled 2 blobs, 1.0 MiB\n");
  summary.present.count = 3;
  summary.uncompressed = {"x/layer.tar"};
  summary.missing = {kOne};
  const std::string text = import_report(summary, Form::text);
  EXPECT_NE(text.find("filed 2 blobs, 1.0 MiB; 3 more were there\n1 layer left out, not being compressed: "),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("\n1 layer not in the archive; "), std::string::npos) << text;
  const nlohmann::json report = nlohmann::json::parse(import_report(summary, Form::json));
  EXPECT_EQ(report["images"][0]["kind"], "manifest");
  EXPECT_EQ(report["images"][1]["platform"], nullptr);
  EXPECT_EQ(report["uncompressed"][0], "x/layer.tar");
  EXPECT_EQ(report["missing"][0], kOne.str());
}

}  // namespace
}  // namespace regfs::cache_report_test
