// SPDX-License-Identifier: MIT
// The log: levels, one line per event, to standard error, a file, or syslog.
//
// A line never holds a secret or the query of a URL: whoever writes it hands in clean words. Control
// characters are escaped here, so that nothing from the wire forges a line or a terminal escape.
// Safe to use from any thread; never call it with a lock held.
#pragma once

#include <exception>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"

namespace regfs {

enum class LogLevel { error, warning, info, debug };

Result<LogLevel> parse_log_level(std::string_view word);  // "error", "warning", "info", "debug"

// Where lines go. write() gets one line without its end; called by one thread at a time.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void write(LogLevel level, std::string_view line) = 0;
};

std::unique_ptr<LogSink> stderr_sink();                               // "regfs: warning: …"
Result<std::unique_ptr<LogSink>> file_sink(const std::string& path);  // appends, with time and pid
std::unique_ptr<LogSink> syslog_sink();                               // facility daemon, ident "regfs"

class Log {
 public:
  Log(std::unique_ptr<LogSink> sink, LogLevel level, const Clock& clock);

  void error(std::string_view text) { write(LogLevel::error, text); }
  void warning(std::string_view text) { write(LogLevel::warning, text); }
  void info(std::string_view text) { write(LogLevel::info, text); }
  void debug(std::string_view text) { write(LogLevel::debug, text); }
  bool debugs() const { return level_ >= LogLevel::debug; }

  // A failure that many may meet at once (200 readers of one dead layer): the same text is written
  // once in kSameFailure, however often it is told.
  void failure(std::string_view text);
  static constexpr std::chrono::seconds kSameFailure{5};  // as long as a failure is remembered

  // An exception has met a fence. Never throws itself: where there is no memory, the line is lost.
  void internal_error(std::string_view where, const std::exception& error) noexcept;

  // The daemon changes its sink once it has left the terminal.
  void set_sink(std::unique_ptr<LogSink> sink);

 private:
  void write(LogLevel level, std::string_view text);

  const LogLevel level_;
  const Clock& clock_;
  Mutex mutex_;
  std::unique_ptr<LogSink> sink_ REGFS_GUARDED_BY(mutex_);
  std::map<std::string, Monotonic::time_point, std::less<>> told_ REGFS_GUARDED_BY(mutex_);
};

// Control characters as \xNN; everything else as it is.
std::string escape_controls(std::string_view text);

}  // namespace regfs
