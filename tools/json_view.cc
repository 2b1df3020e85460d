// SPDX-License-Identifier: MIT
#include "tools/json_view.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "tools/progress_lines.h"

namespace regfs {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::seconds kProgressEvery{1};

std::string line_of(const Json& object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json layer_of(const LayerProgress& layer) {
  return {{"digest", layer.digest}, {"present_bytes", layer.present_bytes}, {"size_bytes", layer.size_bytes}};
}

}  // namespace

JsonView::JsonView(std::function<void(std::string_view)> write) : write_(std::move(write)) {}

void JsonView::begin(const ImageProgress& image) {
  told_.assign(image.layers.size(), false);
  meter_ = {};
  progress_told_ = image.at;
  Json layers = Json::array();
  for (const LayerProgress& layer : image.layers) layers.push_back(layer_of(layer));
  write_(line_of({{"event", "image"},
                  {"title", image.title},
                  {"size_bytes", totals_of(image).size_bytes},
                  {"layers", std::move(layers)}}));
  update(image);
}

void JsonView::update(const ImageProgress& image) {
  const Totals totals = totals_of(image);
  meter_.look(totals.present_bytes, image.at);
  tell_layers(image);
  if (image.at - progress_told_ < kProgressEvery) return;
  progress_told_ = image.at;
  Json active = Json::array();
  for (const LayerProgress& layer : image.layers) {
    if (!layer.complete && layer.present_bytes > 0) active.push_back(layer_of(layer));
  }
  Json object = {{"event", "progress"},
                 {"title", image.title},
                 {"present_bytes", totals.present_bytes},
                 {"size_bytes", totals.size_bytes},
                 {"written_bytes", image.written_bytes},
                 {"archive_bytes", image.archive_bytes},
                 {"layers_complete", totals.complete},
                 {"layers", image.layers.size()}};
  const auto speed = meter_.bytes_per_second();
  object["bytes_per_second"] = speed ? Json(static_cast<uint64_t>(*speed)) : Json(nullptr);
  object["active"] = std::move(active);
  write_(line_of(object));
}

void JsonView::finish(const ImageProgress& image, const PullSummary& summary) {
  tell_layers(image);
  write_(line_of({{"event", "done"},
                  {"title", summary.title},
                  {"path", summary.path.empty() ? Json(nullptr) : Json(summary.path)},
                  {"digest", summary.reference_digest},
                  {"archive_bytes", summary.archive_bytes},
                  {"layers", summary.layers},
                  {"cached_layers", summary.cached_layers},
                  {"layer_bytes", summary.layer_bytes},
                  {"saved_bytes", summary.saved_bytes},
                  {"milliseconds", summary.took.count()},
                  {"load", summary.load_line}}));
}

void JsonView::fail(const ImageProgress& image, const std::string& sentence) {
  write_(line_of({{"event", "error"}, {"title", image.title}, {"message", sentence}}));
}

void JsonView::message(const std::string& line) {
  write_(line_of({{"event", "message"}, {"message", line}}));
}

void JsonView::tell_layers(const ImageProgress& image) {
  told_.resize(image.layers.size());
  for (size_t i = 0; i < image.layers.size(); ++i) {
    const LayerProgress& layer = image.layers[i];
    if (told_[i] || !layer.complete) continue;
    told_[i] = true;
    write_(line_of({{"event", "layer"},
                    {"title", image.title},
                    {"digest", layer.digest},
                    {"size_bytes", layer.size_bytes},
                    {"status", layer.cached ? "cached" : "done"}}));
  }
}

}  // namespace regfs
