// SPDX-License-Identifier: MIT
#include "tools/plain_view.h"

#include <utility>

#include "tools/human_size.h"
#include "tools/progress_lines.h"
#include "tools/pull_report.h"

namespace regfs {
namespace {

constexpr std::chrono::seconds kTotalEvery{5};  // often enough to see it live, rare enough for a log

}  // namespace

PlainView::PlainView(std::function<void(std::string_view)> write) : write_(std::move(write)) {}

void PlainView::begin(const ImageProgress& image) {
  told_.assign(image.layers.size(), false);
  meter_ = {};
  writing_ = {};
  total_told_ = image.at;
  const size_t layers = image.layers.size();
  write_(ascii_only(image.title) + ": " + std::to_string(layers) + (layers == 1 ? " layer, " : " layers, ") +
         human_size(totals_of(image).size_bytes) + "\n");
  update(image);
}

void PlainView::update(const ImageProgress& image) {
  meter_.look(totals_of(image).present_bytes, image.at);
  writing_.look(image.written_bytes, image.at);
  tell_layers(image);
  if (image.at - total_told_ < kTotalEvery) return;
  total_told_ = image.at;
  tell_total(image);
}

void PlainView::finish(const ImageProgress& image, const PullSummary& summary) {
  tell_layers(image);
  write_(pull_report(summary));
}

void PlainView::fail(const ImageProgress&, const std::string& sentence) {
  write_(escape_all_but_ends(sentence) + "\n");
}

void PlainView::message(const std::string& line) {
  write_(escape_all_but_ends(line) + "\n");
}

void PlainView::tell_layers(const ImageProgress& image) {
  told_.resize(image.layers.size());
  for (size_t i = 0; i < image.layers.size(); ++i) {
    const LayerProgress& layer = image.layers[i];
    if (told_[i] || !layer.complete) continue;
    told_[i] = true;
    write_(short_digest(layer.digest) + (layer.cached ? " cached, " : " done, ") + human_size(layer.size_bytes) + "\n");
  }
}

void PlainView::tell_total(const ImageProgress& image) {
  const Totals totals = totals_of(image);
  const bool writing = totals.complete == image.layers.size() && image.written_bytes < image.archive_bytes;
  const uint64_t present = writing ? image.written_bytes : totals.present_bytes;
  const uint64_t size = writing ? image.archive_bytes : totals.size_bytes;
  const SpeedMeter& meter = writing ? writing_ : meter_;
  std::string line = (writing ? "writing " : "total ") + std::to_string(percent_of(present, size)) + "%, " +
                     human_size(present) + " / " + human_size(size);
  if (auto speed = meter.bytes_per_second()) line += ", " + human_speed(*speed);
  if (auto left = meter.time_for(size > present ? size - present : 0)) line += ", " + human_duration(*left) + " left";
  write_(line + "\n");
}

}  // namespace regfs
