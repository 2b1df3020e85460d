// SPDX-License-Identifier: MIT
#include "tools/progress_lines.h"

#include <algorithm>

#include "tools/human_size.h"

namespace regfs {
namespace {

constexpr size_t kNameColumns = 12;
constexpr size_t kPercentColumns = 4;                        // "100%"
constexpr size_t kWordColumns = 6;                           // "cached", where there is no bar
constexpr size_t kBytesColumns = 2 * kHumanSizeColumns + 3;  // "1.0 MiB / 2.0 MiB"
constexpr std::string_view kGap = "  ";
constexpr size_t kLeastBar = 10;
constexpr size_t kMostBar = 52;  // two percent a step; longer ones say no more

// Which columns there is room for.
struct Columns {
  explicit Columns(size_t width) {
    size_t used = kNameColumns + 1 + kWordColumns;
    auto take = [&](size_t columns) {
      if (used + kGap.size() + columns > width) return false;
      used += kGap.size() + columns;
      return true;
    };
    bytes = take(kBytesColumns);
    speed = bytes && take(kHumanSpeedColumns);
    left = speed && take(kHumanDurationColumns);
    // With a bar, what stands in the word's place is the bar, a blank and the percent.
    const size_t spare = width > used ? width - used + kWordColumns : 0;
    if (left && spare >= kLeastBar + 1 + kPercentColumns) bar = std::min(spare - 1 - kPercentColumns, kMostBar);
  }
  size_t status() const { return bar > 0 ? bar + 1 + kPercentColumns : kWordColumns; }

  bool bytes = false;
  bool speed = false;
  bool left = false;
  size_t bar = 0;  // its width; 0: none
};

std::string padded(std::string text, size_t columns) {
  if (text.size() < columns) text.append(columns - text.size(), ' ');
  return text;
}

std::string right(const std::string& text, size_t columns) {
  return text.size() < columns ? std::string(columns - text.size(), ' ') + text : text;
}

std::string bar_of(int percent, size_t width) {
  const size_t inside = width - 2;
  const size_t filled = inside * static_cast<size_t>(percent) / 100;
  std::string bar(inside, ' ');
  std::fill_n(bar.begin(), filled, '=');
  if (filled > 0 && filled < inside) bar[filled - 1] = '>';
  return "[" + bar + "]";
}

// A name, its bar or word, its bytes, its pace.
struct Row {
  std::string name;
  std::string word;  // instead of the bar: "done", "cached"
  uint64_t present;
  uint64_t size;
  Pace pace;
};

std::string row_text(const Row& row, const Columns& columns) {
  const int percent = percent_of(row.present, row.size);
  std::string text = padded(row.name, kNameColumns) + " ";
  if (!row.word.empty()) {
    text += padded(row.word, columns.status());
  } else {
    if (columns.bar > 0) text += bar_of(percent, columns.bar) + " ";
    text += right(std::to_string(percent) + "%", columns.bar > 0 ? kPercentColumns : kWordColumns);
  }
  if (columns.bytes) {
    const std::string size = right(human_size(row.size), kHumanSizeColumns);
    const std::string bytes = row.word.empty() ? human_size(row.present) + " / " + size : size;
    text += std::string(kGap) + right(bytes, kBytesColumns);
  }
  if (row.word.empty() && columns.speed) {
    const std::string speed = row.pace.bytes_per_second ? human_speed(*row.pace.bytes_per_second) : "";
    text += std::string(kGap) + right(speed, kHumanSpeedColumns);
  }
  if (row.word.empty() && columns.left) {
    text += std::string(kGap) + right(row.pace.left ? human_duration(*row.pace.left) : "", kHumanDurationColumns);
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

enum class Stage { active, waiting, done };

Stage stage_of(const LayerProgress& layer) {
  if (layer.complete) return Stage::done;
  return layer.present_bytes > 0 ? Stage::active : Stage::waiting;
}

Row layer_row(const LayerProgress& layer, const Pace& pace) {
  const char* word = layer.complete ? (layer.cached ? "cached" : "done") : "";
  return {short_digest(layer.digest), word, layer.present_bytes, layer.size_bytes,
          stage_of(layer) == Stage::active ? pace : Pace{}};
}

// Which layers get a line, in their order.
std::vector<bool> chosen(const std::vector<LayerProgress>& layers, size_t room) {
  std::vector<bool> out(layers.size(), layers.size() <= room);
  if (layers.size() <= room) return out;
  for (Stage stage : {Stage::active, Stage::waiting, Stage::done}) {
    for (size_t i = 0; i < layers.size() && room > 0; ++i) {
      if (stage_of(layers[i]) != stage) continue;
      out[i] = true;
      --room;
    }
  }
  return out;
}

// "and 45 more layers: 3 active, 12 done, 30 waiting"
std::string others(const std::vector<LayerProgress>& layers, const std::vector<bool>& shown) {
  size_t counts[3] = {0, 0, 0};
  for (size_t i = 0; i < layers.size(); ++i) {
    if (!shown[i]) ++counts[static_cast<size_t>(stage_of(layers[i]))];
  }
  const size_t all = counts[0] + counts[1] + counts[2];
  std::string text = "and " + std::to_string(all) + " more layer" + (all == 1 ? "" : "s");
  const char* separator = ": ";
  auto tell = [&](Stage stage, const char* word) {
    const size_t count = counts[static_cast<size_t>(stage)];
    if (count == 0) return;
    text += separator + std::to_string(count) + word;
    separator = ", ";
  };
  tell(Stage::active, " active");
  tell(Stage::done, " done");
  tell(Stage::waiting, " waiting");
  return text;
}

Row total_row(const ImageProgress& image, const Totals& totals, const Pace& pace) {
  const bool writing = totals.complete == image.layers.size() && image.written_bytes < image.archive_bytes;
  if (writing) return {"writing", "", image.written_bytes, image.archive_bytes, pace};
  const bool there = totals.complete == image.layers.size();
  return {"total", "", totals.present_bytes, totals.size_bytes, there ? Pace{} : pace};
}

// The front is what tells a reference from others least: "...nginx:latest linux/amd64".
std::string keep_end(std::string text, size_t width) {
  constexpr std::string_view kCut = "...";
  if (text.size() <= width) return text;
  if (width <= kCut.size()) return text.substr(text.size() - width);
  return std::string(kCut) + text.substr(text.size() - (width - kCut.size()));
}

}  // namespace

std::vector<ProgressLine> progress_lines(const ImageProgress& image, const Paces& paces, size_t columns, size_t rows) {
  const size_t width = columns > 1 ? columns - 1 : 1;
  const size_t most = rows > 1 ? rows - 1 : 0;
  const Columns fit(width);
  const Totals totals = totals_of(image);
  std::vector<ProgressLine> lines;

  const bool title = most >= 2;
  size_t room = most - std::min<size_t>(most, title ? 2 : 1);
  const bool counted = image.layers.size() > room && room > 0;
  if (counted) --room;
  const std::vector<bool> shown = chosen(image.layers, room);

  if (title) lines.push_back({keep_end(ascii_only(image.title), width), false});
  for (size_t i = 0; i < image.layers.size(); ++i) {
    if (!shown[i]) continue;
    const Pace pace = i < paces.layers.size() ? paces.layers[i] : Pace{};
    lines.push_back({row_text(layer_row(image.layers[i], pace), fit), image.layers[i].complete});
  }
  if (counted) lines.push_back({others(image.layers, shown), false});
  if (most > 0) lines.push_back({row_text(total_row(image, totals, paces.total), fit), false});
  for (ProgressLine& line : lines) {
    if (line.text.size() > width) line.text.resize(width);
  }
  return lines;
}

Totals totals_of(const ImageProgress& image) {
  Totals totals;
  for (const LayerProgress& layer : image.layers) {
    totals.present_bytes += layer.present_bytes;
    totals.size_bytes += layer.size_bytes;
    totals.complete += layer.complete ? 1 : 0;
  }
  return totals;
}

int percent_of(uint64_t part, uint64_t whole) {
  if (part >= whole) return 100;
  return static_cast<int>(static_cast<double>(part) / static_cast<double>(whole) * 100);
}

std::string short_digest(const std::string& digest) {
  const size_t colon = digest.find(':');
  return ascii_only(digest.substr(colon == std::string::npos ? 0 : colon + 1, kNameColumns));
}

std::string ascii_only(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  return out;
}

}  // namespace regfs
