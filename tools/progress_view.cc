// SPDX-License-Identifier: MIT
#include "tools/progress_view.h"

#include "tools/json_view.h"
#include "tools/plain_view.h"
#include "tools/pull_report.h"
#include "tools/terminal_view.h"

namespace regfs {
namespace {

using Write = std::function<void(std::string_view)>;

// Lets through what its inner view says of failures, and nothing else.
class QuietView : public ProgressView {
 public:
  explicit QuietView(std::unique_ptr<ProgressView> inner) : inner_(std::move(inner)) {}
  void begin(const ImageProgress&) override {}
  void update(const ImageProgress&) override {}
  void finish(const ImageProgress&, const PullSummary&) override {}
  void fail(const ImageProgress& image, const std::string& sentence) override { inner_->fail(image, sentence); }
  void message(const std::string&) override {}

 private:
  const std::unique_ptr<ProgressView> inner_;
};

// The closing lines without what leads there.
class ReportView : public ProgressView {
 public:
  explicit ReportView(Write write) : write_(std::move(write)) {}
  void begin(const ImageProgress&) override {}
  void update(const ImageProgress&) override {}
  void finish(const ImageProgress&, const PullSummary& summary) override { write_(pull_report(summary)); }
  void fail(const ImageProgress&, const std::string& sentence) override { message(sentence); }
  void message(const std::string& line) override { write_(escape_all_but_ends(line) + "\n"); }

 private:
  const Write write_;
};

}  // namespace

std::unique_ptr<ProgressView> make_progress_view(ProgressStyle style, bool quiet, Terminal terminal, Write write) {
  if (quiet) {
    if (style == ProgressStyle::json) return std::make_unique<QuietView>(std::make_unique<JsonView>(std::move(write)));
    return std::make_unique<QuietView>(std::make_unique<PlainView>(std::move(write)));
  }
  switch (style) {
    case ProgressStyle::automatic:
      if (!terminal.is_terminal) return std::make_unique<PlainView>(std::move(write));
      return std::make_unique<TerminalView>(std::move(terminal), std::move(write));
    case ProgressStyle::plain: return std::make_unique<PlainView>(std::move(write));
    case ProgressStyle::json: return std::make_unique<JsonView>(std::move(write));
    case ProgressStyle::none: return std::make_unique<ReportView>(std::move(write));
  }
  return std::make_unique<PlainView>(std::move(write));
}

}  // namespace regfs
