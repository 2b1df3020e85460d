// SPDX-License-Identifier: MIT
// How a pull is shown on standard error: bars on a terminal, plain lines in a log, JSON for programs.
//
// The puller looks at its image about ten times a second and hands the look in; a view keeps no time of its own
// (ImageProgress::at is its clock) and writes each frame with one call. One image at a time, from begin() to
// finish() or fail(). Not thread-safe: the caller holds one mutex around all of it. Words from the wire are
// escaped here, so that no registry draws on a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace regfs {

struct LayerProgress {
  std::string digest;  // "sha256:…"
  uint64_t size_bytes;
  uint64_t present_bytes;
  bool cached;    // it was complete before, and nothing of it came from the registry
  bool complete;  // all there and verified
};

// One look at a pull.
struct ImageProgress {
  std::string title;                  // "docker.io/library/nginx:latest linux/amd64"
  std::vector<LayerProgress> layers;  // base first, each once; the same ones in the same order at each look
  Monotonic::time_point at;
  // Of the archive, as far as it is written out. Zero for both: not known. Shown once all layers are there,
  // where a slow reader or disk is what is waited for.
  uint64_t archive_bytes = 0;
  uint64_t written_bytes = 0;
};

struct PullSummary {
  std::string title;
  std::string path;              // empty: standard output
  std::string reference_digest;  // "sha256:…", of the manifest
  std::string load_line;         // "docker load -i FILE"; empty: none is shown
  uint64_t archive_bytes;
  uint64_t layers;
  uint64_t cached_layers;
  uint64_t layer_bytes;
  uint64_t saved_bytes;  // of layer_bytes, what the cache already had, parts of layers too
  std::chrono::milliseconds took;
};

class ProgressView {
 public:
  virtual ~ProgressView() = default;
  virtual void begin(const ImageProgress& image) = 0;
  virtual void update(const ImageProgress& image) = 0;
  virtual void finish(const ImageProgress& image, const PullSummary& summary) = 0;
  // The bars stay, then the sentence; it has its prefix ("regfs-pull: ") and may have several lines. Also
  // without a begin(), for what failed before it; of `image` only the title is then used (by JSON).
  virtual void fail(const ImageProgress& image, const std::string& sentence) = 0;
  // A line of the log, without its end; bars are drawn again below it. At any time.
  virtual void message(const std::string& line) = 0;
};

enum class ProgressStyle { automatic, plain, json, none };  // none: messages and the closing lines only

struct Terminal {
  bool is_terminal;  // and TERM is not "dumb"
  bool colour;       // and NO_COLOR is not set
  // Asked at each frame, so that a resize is noticed. Zeros (a terminal that does not know) are 80 × 24.
  std::function<std::pair<int, int>()> columns_and_rows;
};

// `write` gets whole frames or lines. Quiet writes nothing but fail()'s sentence (as JSON in that style).
std::unique_ptr<ProgressView> make_progress_view(ProgressStyle style, bool quiet, Terminal terminal,
                                                 std::function<void(std::string_view)> write);

}  // namespace regfs
