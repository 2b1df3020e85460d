// SPDX-License-Identifier: MIT
// The one place that a pull's words and bars go to standard error through, from any thread; and the thread that
// looks at the pull ten times a second while it runs.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "base/log.h"
#include "base/mutex.h"
#include "tools/progress_view.h"

namespace regfs {

class PullScreen {
 public:
  explicit PullScreen(std::unique_ptr<ProgressView> view) : view_(std::move(view)) {}

  void begin(const ImageProgress& image);
  void update(const ImageProgress& image);
  void finish(const ImageProgress& image, const PullSummary& summary);
  void fail(const ImageProgress& image, const std::string& sentence);
  void message(const std::string& line);

 private:
  Mutex mutex_;
  const std::unique_ptr<ProgressView> view_ REGFS_GUARDED_BY(mutex_);
};

// This process's standard error: what it is, and a way to it.
Terminal standard_error_terminal();
void write_standard_error(std::string_view text);
std::unique_ptr<ProgressView> standard_error_view(ProgressStyle style, bool quiet);

// The log of a program whose standard error is a PullScreen, which must outlive it.
std::unique_ptr<LogSink> screen_sink(PullScreen& screen);

// Calls `look` every kLookInterval until destroyed; not after that.
class Ticker {
 public:
  static constexpr std::chrono::milliseconds kLookInterval{100};

  explicit Ticker(std::function<void()> look);
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  void run();

  const std::function<void()> look_;
  Mutex mutex_;
  bool over_ REGFS_GUARDED_BY(mutex_) = false;
  CondVar ended_;
  std::thread thread_;
};

}  // namespace regfs
