// SPDX-License-Identifier: MIT
#include "tools/cache_report.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "tools/human_size.h"

namespace regfs {
namespace {

using Json = nlohmann::ordered_json;
using Row = std::vector<std::string>;

std::string document_of(const Json& object) {
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string time_text(int64_t nanoseconds, const char* format, bool utc) {
  const auto seconds = static_cast<time_t>(nanoseconds / 1'000'000'000);
  std::tm parts{};
  if ((utc ? ::gmtime_r(&seconds, &parts) : ::localtime_r(&seconds, &parts)) == nullptr) return "-";
  char text[40];
  return {text, std::strftime(text, sizeof text, format, &parts)};
}

std::string state(uint64_t present_bytes, bool complete) {
  return complete ? "complete" : human_size(present_bytes) + " of it";
}

// Each column as wide as its widest word; the last one is not padded.
std::string table(const std::vector<Row>& rows) {
  std::vector<size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += (i > 0 ? "  " : "") + row[i] + std::string(widths[i] - row[i].size(), ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string list_text(const std::vector<CachedImage>& images, const CacheItems& items) {
  std::string text;
  if (!images.empty()) {
    std::vector<Row> rows{{"IMAGE", "PLATFORM", "DIGEST", "SIZE", "CACHED"}};
    for (const CachedImage& image : images) {
      rows.push_back({image.reference.empty() ? "-" : escape_controls(image.reference),
                      image.platform.empty() ? "-" : escape_controls(image.platform), image.digest.str(),
                      image.size_bytes ? human_size(*image.size_bytes) : "-",
                      image.size_bytes ? state(image.present_bytes, image.complete()) : "-"});
    }
    text = table(rows) + "\n";
  }
  std::vector<Row> rows{{"BLOB", "SIZE", "LAST USE", "CACHED"}};
  for (const cache::Inventory::Item& item : items) {
    rows.push_back({item.digest.str(), human_size(item.size_bytes), time_text(item.last_use, "%Y-%m-%d %H:%M", false),
                    state(item.present_bytes, item.complete)});
  }
  return text + table(rows);
}

Json list_json(const std::vector<CachedImage>& images, const CacheItems& items) {
  Json image_list = Json::array();
  for (const CachedImage& image : images) {
    image_list.push_back({{"reference", image.reference.empty() ? Json(nullptr) : Json(image.reference)},
                          {"platform", image.platform.empty() ? Json(nullptr) : Json(image.platform)},
                          {"digest", image.digest.str()},
                          {"size_bytes", image.size_bytes ? Json(*image.size_bytes) : Json(nullptr)},
                          {"present_bytes", image.present_bytes},
                          {"complete", image.complete()}});
  }
  Json blobs = Json::array();
  for (const cache::Inventory::Item& item : items) {
    blobs.push_back({{"digest", item.digest.str()},
                     {"size_bytes", item.size_bytes},
                     {"present_bytes", item.present_bytes},
                     {"allocated_bytes", item.allocated_bytes},
                     {"last_use", time_text(item.last_use, "%Y-%m-%dT%H:%M:%SZ", true)},
                     {"complete", item.complete}});
  }
  return {{"images", std::move(image_list)}, {"blobs", std::move(blobs)}};
}

Json sum_json(const CacheStats::Sum& sum) {
  return {{"count", sum.count}, {"bytes", sum.bytes}, {"allocated_bytes", sum.allocated_bytes}};
}

Row sum_row(const std::string& name, const CacheStats::Sum& sum) {
  return {name, std::to_string(sum.count), human_size(sum.bytes)};
}

std::string counted(uint64_t count, const std::string& word) {
  return std::to_string(count) + " " + word + (count == 1 ? "" : "s");
}

CacheStats::Sum operator+(const CacheStats::Sum& one, const CacheStats::Sum& other) {
  return {one.count + other.count, one.bytes + other.bytes, one.allocated_bytes + other.allocated_bytes};
}

}  // namespace

std::string list_report(const std::vector<CachedImage>& images, const CacheItems& items, Form form) {
  return form == Form::json ? document_of(list_json(images, items)) : list_text(images, items);
}

CacheStats cache_stats(const std::string& directory, const CacheItems& items) {
  CacheStats stats;
  stats.directory = directory;
  for (const cache::Inventory::Item& item : items) {
    CacheStats::Sum& sum = !item.complete ? stats.parts : item.document() ? stats.documents : stats.layers;
    sum = sum + CacheStats::Sum{1, item.present_bytes, item.allocated_bytes};
  }
  return stats;
}

std::string stats_report(const CacheStats& stats, Form form) {
  const CacheStats::Sum total = stats.layers + stats.documents + stats.parts;
  if (form == Form::json) {
    return document_of({{"directory", stats.directory},
                        {"blobs", sum_json(stats.layers)},
                        {"documents", sum_json(stats.documents)},
                        {"parts", sum_json(stats.parts)},
                        {"total", sum_json(total)},
                        {"repositories", stats.repositories},
                        {"tags", stats.tags},
                        {"hits", stats.usage.hits},
                        {"misses", stats.usage.misses},
                        {"saved_bytes", stats.usage.saved_bytes}});
  }
  return table({{"directory", escape_controls(stats.directory)},
                sum_row("blobs", stats.layers),
                sum_row("documents", stats.documents),
                sum_row("parts", stats.parts),
                sum_row("total", total),
                {"on disk", human_size(total.allocated_bytes)},
                {"repositories", std::to_string(stats.repositories)},
                {"tags", std::to_string(stats.tags)},
                {"hits", std::to_string(stats.usage.hits)},
                {"misses", std::to_string(stats.usage.misses)},
                {"saved", human_size(stats.usage.saved_bytes)}});
}

std::string path_report(const std::string& path, const std::optional<Digest>& digest, Form form) {
  if (form == Form::text) return path + "\n";
  Json object = {{"path", path}};
  if (digest) object["digest"] = digest->str();
  return document_of(object);
}

uint64_t VerifySummary::dropped() const {
  return static_cast<uint64_t>(std::count_if(wrong.begin(), wrong.end(), [](const Wrong& one) { return one.dropped; }));
}

std::string verify_report(const VerifySummary& summary, Form form) {
  const uint64_t left = summary.wrong.size() - summary.dropped();
  if (form == Form::json) {
    Json wrong = Json::array();
    for (const VerifySummary::Wrong& one : summary.wrong) {
      wrong.push_back({{"digest", one.digest.str()}, {"why", one.why}, {"dropped", one.dropped}});
    }
    return document_of({{"blobs", summary.blobs},
                        {"bytes", summary.bytes},
                        {"damaged", std::move(wrong)},
                        {"unchecked", summary.unchecked}});
  }
  std::string text = counted(summary.blobs, "blob") + ", " + human_size(summary.bytes) + ": ";
  if (summary.wrong.empty()) {
    text += summary.unchecked == 0 ? "all are right" : "what could be checked is right";
  } else {
    text += std::to_string(summary.wrong.size()) + " damaged, " + std::to_string(summary.dropped()) + " dropped";
  }
  if (summary.unchecked > 0) text += ", " + std::to_string(summary.unchecked) + " could not be checked";
  text += "\n";
  if (left > 0) text += "'regfs-cache verify --repair' drops what is damaged; it is fetched again when it is read\n";
  return text;
}

std::string gc_report(const GcSummary& summary, Form form) {
  const cache::Inventory::Evicted& evicted = summary.evicted;
  const uint64_t freed = evicted.freed_bytes + summary.swept.freed_bytes;
  if (form == Form::json) {
    return document_of({{"freed_bytes", freed},
                        {"blobs", evicted.blobs},
                        {"parts", evicted.parts},
                        {"debris", summary.swept.files},
                        {"left_bytes", evicted.left_bytes}});
  }
  std::string text = "freed " + human_size(freed) + ": " + counted(evicted.blobs, "blob") + ", " +
                     counted(evicted.parts, "part") + ", " + counted(summary.swept.files, "file") + " of debris\n" +
                     human_size(evicted.left_bytes) + " left";
  if (evicted.left_bytes > summary.to_bytes) text += ": it is in use, or cannot be removed";
  return text + "\n";
}

std::string import_report(const ImportSummary& summary, Form form) {
  const ImportSummary::Sum& filed = summary.filed;
  const ImportSummary::Sum& present = summary.present;
  if (form == Form::json) {
    Json images = Json::array();
    for (const ImportPlan::Image& image : summary.images) {
      images.push_back({{"digest", image.digest.str()},
                        {"kind", image.manifest ? "manifest" : "config"},
                        {"platform", image.platform.empty() ? Json(nullptr) : Json(image.platform)}});
    }
    Json missing = Json::array();
    for (const Digest& digest : summary.missing) missing.push_back(digest.str());
    return document_of({{"images", std::move(images)},
                        {"filed", {{"count", filed.count}, {"bytes", filed.bytes}}},
                        {"present", {{"count", present.count}, {"bytes", present.bytes}}},
                        {"uncompressed", summary.uncompressed},
                        {"missing", std::move(missing)}});
  }
  std::string text;
  for (const ImportPlan::Image& image : summary.images) {
    text += (image.manifest ? "image " : "image with the config ") + image.digest.str() +
            (image.platform.empty() ? "" : " " + escape_controls(image.platform)) + "\n";
  }
  text += "filed " + counted(filed.count, "blob") + ", " + human_size(filed.bytes);
  if (present.count > 0) text += "; " + std::to_string(present.count) + " more were there";
  text += "\n";
  if (!summary.uncompressed.empty()) {
    text += counted(summary.uncompressed.size(), "layer") + " left out, not being compressed: " + kUncompressed + "\n";
  }
  if (!summary.missing.empty()) {
    text += counted(summary.missing.size(), "layer") + " not in the archive; a pull fetches what is missing\n";
  }
  return text;
}

}  // namespace regfs
