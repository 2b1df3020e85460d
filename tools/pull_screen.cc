// SPDX-License-Identifier: MIT
#include "tools/pull_screen.h"

#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace regfs {
namespace {

std::string_view word_of(LogLevel level) {
  switch (level) {
    case LogLevel::error: return "error: ";
    case LogLevel::warning: return "warning: ";
    case LogLevel::info: return "";
    case LogLevel::debug: return "debug: ";
  }
  return "";
}

class ScreenSink : public LogSink {
 public:
  explicit ScreenSink(PullScreen& screen) : screen_(screen) {}
  void write(LogLevel level, std::string_view line) override {
    screen_.message("regfs-pull: " + std::string(word_of(level)) + std::string(line));
  }

 private:
  PullScreen& screen_;
};

bool has_value(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

}  // namespace

void PullScreen::begin(const ImageProgress& image) {
  MutexLock lock(mutex_);
  view_->begin(image);
}

void PullScreen::update(const ImageProgress& image) {
  MutexLock lock(mutex_);
  view_->update(image);
}

void PullScreen::finish(const ImageProgress& image, const PullSummary& summary) {
  MutexLock lock(mutex_);
  view_->finish(image, summary);
}

void PullScreen::fail(const ImageProgress& image, const std::string& sentence) {
  MutexLock lock(mutex_);
  view_->fail(image, sentence);
}

void PullScreen::message(const std::string& line) {
  MutexLock lock(mutex_);
  view_->message(line);
}

Terminal standard_error_terminal() {
  const char* type = std::getenv("TERM");
  const bool dumb = type == nullptr || *type == '\0' || std::string_view(type) == "dumb";
  return {
      .is_terminal = ::isatty(STDERR_FILENO) == 1 && !dumb,
      .colour = !has_value("NO_COLOR"),
      .columns_and_rows =
          [] {
            winsize size{};
            if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0) return std::pair<int, int>(0, 0);
            return std::pair<int, int>(size.ws_col, size.ws_row);
          },
  };
}

void write_standard_error(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(STDERR_FILENO, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return;  // nobody looks
    text.remove_prefix(static_cast<size_t>(count));
  }
}

std::unique_ptr<ProgressView> standard_error_view(ProgressStyle style, bool quiet) {
  return make_progress_view(style, quiet, standard_error_terminal(), write_standard_error);
}

std::unique_ptr<LogSink> screen_sink(PullScreen& screen) {
  return std::make_unique<ScreenSink>(screen);
}

Ticker::Ticker(std::function<void()> look) : look_(std::move(look)), thread_([this] { run(); }) {}

Ticker::~Ticker() {
  {
    MutexLock lock(mutex_);
    over_ = true;
  }
  ended_.notify_all();
  thread_.join();
}

void Ticker::run() {
  pthread_setname_np(pthread_self(), "look");
  auto next = std::chrono::steady_clock::now();
  MutexLock lock(mutex_);
  while (!over_) {
    next += kLookInterval;
    while (!over_ && ended_.wait_until(lock, next)) {
    }
    if (over_) return;
    lock.unlock();
    look_();
    lock.lock();
  }
}

}  // namespace regfs
