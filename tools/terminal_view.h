// SPDX-License-Identifier: MIT
// Bars that are redrawn in place. Each frame is one write: up to the first line of the frame before, each line
// over the old one, and what is left of it erased.
//
// After a resize to fewer columns the terminal is taken to have wrapped the old lines, as most do; one that cuts
// them instead may lose lines above the bars. To fewer rows: what has scrolled off stays in the scroll-back.
// Nothing else may write to the terminal between begin() and finish() or fail(). Not thread-safe.
#pragma once

#include "tools/progress_lines.h"
#include "tools/progress_view.h"
#include "tools/speed_meter.h"

namespace regfs {

class TerminalView : public ProgressView {
 public:
  TerminalView(Terminal terminal, std::function<void(std::string_view)> write);

  void begin(const ImageProgress& image) override;
  void update(const ImageProgress& image) override;
  void finish(const ImageProgress& image, const PullSummary& summary) override;
  void fail(const ImageProgress& image, const std::string& sentence) override;
  void message(const std::string& line) override;

 private:
  enum class Paced { yes, no };

  void measure(const ImageProgress& image);
  std::string frame(const ImageProgress& image, Paced paced);  // over the one before
  std::string to_top(size_t columns, size_t rows) const;       // of the frame before
  std::pair<size_t, size_t> columns_and_rows() const;
  void end(const ImageProgress& image, const std::string& below);

  const Terminal terminal_;
  const std::function<void(std::string_view)> write_;
  bool running_ = false;
  ImageProgress last_;
  std::vector<size_t> drawn_;  // the widths of the lines that stand above the cursor
  std::vector<SpeedMeter> layers_;
  SpeedMeter total_;
  SpeedMeter writing_;
};

}  // namespace regfs
