// SPDX-License-Identifier: MIT
#include "tools/terminal_view.h"

#include <algorithm>
#include <utility>

#include "tools/pull_report.h"

namespace regfs {
namespace {

constexpr size_t kUsualColumns = 80;
constexpr size_t kUsualRows = 24;
constexpr std::string_view kEraseToEndOfLine = "\x1b[K";
constexpr std::string_view kEraseBelow = "\x1b[J";
constexpr std::string_view kFaint = "\x1b[2m";
constexpr std::string_view kPlain = "\x1b[0m";

Pace pace_of(const SpeedMeter& meter, uint64_t bytes_left) {
  return {meter.bytes_per_second(), meter.time_for(bytes_left)};
}

uint64_t left_of(uint64_t size, uint64_t present) {
  return size > present ? size - present : 0;
}

}  // namespace

TerminalView::TerminalView(Terminal terminal, std::function<void(std::string_view)> write)
    : terminal_(std::move(terminal)), write_(std::move(write)) {}

void TerminalView::begin(const ImageProgress& image) {
  running_ = true;
  drawn_.clear();
  layers_.assign(image.layers.size(), {});
  total_ = {};
  writing_ = {};
  update(image);
}

void TerminalView::update(const ImageProgress& image) {
  measure(image);
  last_ = image;
  write_(frame(image, Paced::yes));
}

void TerminalView::finish(const ImageProgress& image, const PullSummary& summary) {
  end(image, pull_report(summary));
}

void TerminalView::fail(const ImageProgress& image, const std::string& sentence) {
  end(image, escape_all_but_ends(sentence) + "\n");
}

void TerminalView::message(const std::string& line) {
  const auto [columns, rows] = columns_and_rows();
  std::string out = to_top(columns, rows);
  if (!drawn_.empty()) out += kEraseBelow;
  drawn_.clear();
  out += escape_all_but_ends(line) + "\n";
  if (running_) out += frame(last_, Paced::yes);
  write_(out);
}

// The last frame has no pace: it stays on the screen, where nothing moves any more.
void TerminalView::end(const ImageProgress& image, const std::string& below) {
  std::string out = running_ ? frame(image, Paced::no) : "";
  running_ = false;
  drawn_.clear();
  write_(out + below);
}

void TerminalView::measure(const ImageProgress& image) {
  layers_.resize(image.layers.size());
  for (size_t i = 0; i < image.layers.size(); ++i) layers_[i].look(image.layers[i].present_bytes, image.at);
  total_.look(totals_of(image).present_bytes, image.at);
  writing_.look(image.written_bytes, image.at);
}

std::string TerminalView::frame(const ImageProgress& image, Paced paced) {
  const auto [columns, rows] = columns_and_rows();
  Paces paces;
  if (paced == Paced::yes) {
    const Totals totals = totals_of(image);
    for (size_t i = 0; i < image.layers.size() && i < layers_.size(); ++i) {
      paces.layers.push_back(pace_of(layers_[i], left_of(image.layers[i].size_bytes, image.layers[i].present_bytes)));
    }
    paces.total = totals.complete < image.layers.size()
                      ? pace_of(total_, left_of(totals.size_bytes, totals.present_bytes))
                      : pace_of(writing_, left_of(image.archive_bytes, image.written_bytes));
  }

  std::string out = to_top(columns, rows);
  drawn_.clear();
  for (const ProgressLine& line : progress_lines(image, paces, columns, rows)) {
    const bool faint = line.faint && terminal_.colour;
    out.append(faint ? kFaint : "").append(line.text).append(faint ? kPlain : "").append(kEraseToEndOfLine);
    out += "\n";
    drawn_.push_back(line.text.size());
  }
  out += kEraseBelow;
  return out;
}

std::string TerminalView::to_top(size_t columns, size_t rows) const {
  size_t up = 0;
  for (size_t width : drawn_) up += std::max<size_t>(1, (width + columns - 1) / columns);
  up = std::min(up, rows - 1);
  return up == 0 ? "\r" : "\r\x1b[" + std::to_string(up) + "A";
}

std::pair<size_t, size_t> TerminalView::columns_and_rows() const {
  const auto [columns, rows] = terminal_.columns_and_rows();
  return {columns > 0 ? static_cast<size_t>(columns) : kUsualColumns,
          rows > 0 ? static_cast<size_t>(rows) : kUsualRows};
}

}  // namespace regfs
