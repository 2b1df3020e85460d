// SPDX-License-Identifier: MIT
// A log that keeps its lines for the test to look at.
//
//   MemoryLog log(clock);
//   use(log.log());
//   EXPECT_TRUE(log.contains("digest"));
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/mutex.h"

namespace regfs::test {

struct LogLine {
  LogLevel level;
  std::string text;
};

// What was written, shared by the sink and whoever looks. Safe to use from any thread.
class LogLines {
 public:
  void add(LogLevel level, std::string_view text) {
    MutexLock lock(mutex_);
    lines_.push_back({level, std::string(text)});
  }
  std::vector<LogLine> all() const {
    MutexLock lock(mutex_);
    return lines_;
  }

 private:
  mutable Mutex mutex_;
  std::vector<LogLine> lines_ REGFS_GUARDED_BY(mutex_);
};

class MemorySink : public LogSink {
 public:
  explicit MemorySink(std::shared_ptr<LogLines> lines) : lines_(std::move(lines)) {}
  void write(LogLevel level, std::string_view line) override { lines_->add(level, line); }

 private:
  const std::shared_ptr<LogLines> lines_;
};

class MemoryLog {
 public:
  explicit MemoryLog(const Clock& clock, LogLevel level = LogLevel::debug)
      : log_(std::make_unique<MemorySink>(lines_), level, clock) {}

  Log& log() { return log_; }
  std::vector<LogLine> lines() const { return lines_->all(); }
  // How many lines hold these words.
  size_t count(std::string_view words) const {
    size_t found = 0;
    for (const LogLine& line : lines()) found += line.text.find(words) != std::string::npos ? 1 : 0;
    return found;
  }
  bool contains(std::string_view words) const { return count(words) > 0; }

 private:
  const std::shared_ptr<LogLines> lines_ = std::make_shared<LogLines>();  // before log_, which writes to it
  Log log_;
};

}  // namespace regfs::test
