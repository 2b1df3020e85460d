// SPDX-License-Identifier: MIT
// What regfs-cache prints: columns for people, or one JSON object for programs. Sizes in JSON are bytes, times are
// UTC. Words from the wire are escaped. Pure but for the time zone; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "cache/inventory.h"
#include "tools/cached_images.h"
#include "tools/import_plan.h"

namespace regfs {

enum class Form { text, json };

using CacheItems = std::vector<cache::Inventory::Item>;

std::string list_report(const std::vector<CachedImage>& images, const CacheItems& items, Form form);

struct CacheStats {
  struct Sum {
    uint64_t count = 0;
    uint64_t bytes = 0;  // present
    uint64_t allocated_bytes = 0;
  };
  std::string directory;
  Sum layers;     // published, larger than a document
  Sum documents;  // published
  Sum parts;
  uint64_t repositories = 0;
  uint64_t tags = 0;  // whose meaning is known
  cache::Usage usage;
};
CacheStats cache_stats(const std::string& directory, const CacheItems& items);  // without repositories and tags
std::string stats_report(const CacheStats& stats, Form form);

// The path, and of what.
std::string path_report(const std::string& path, const std::optional<Digest>& digest, Form form);

struct VerifySummary {
  struct Wrong {
    Digest digest;
    std::string why;
    bool dropped = false;
  };
  uint64_t blobs = 0;  // that could be checked
  uint64_t bytes = 0;
  std::vector<Wrong> wrong;
  uint64_t unchecked = 0;

  uint64_t dropped() const;
};
std::string verify_report(const VerifySummary& summary, Form form);

struct GcSummary {
  uint64_t to_bytes = 0;  // what was asked for
  cache::Inventory::Evicted evicted;
  cache::Inventory::Swept swept;
};
std::string gc_report(const GcSummary& summary, Form form);

struct ImportSummary {
  struct Sum {
    uint64_t count = 0;
    uint64_t bytes = 0;
  };
  std::vector<ImportPlan::Image> images;
  Sum filed;    // blobs
  Sum present;  // before
  std::vector<std::string> uncompressed;
  std::vector<Digest> missing;
};
// Why a layer is left out.
inline constexpr const char* kUncompressed =
    "a registry has it compressed, under a digest that such an archive (docker save writes them) does not tell";
std::string import_report(const ImportSummary& summary, Form form);

}  // namespace regfs
