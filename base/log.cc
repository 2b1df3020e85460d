// SPDX-License-Identifier: MIT
#include "base/log.h"

#include <fcntl.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>

#include "base/unique_fd.h"

namespace regfs {
namespace {

const char* word(LogLevel level) {
  switch (level) {
    case LogLevel::error: return "error";
    case LogLevel::warning: return "warning";
    case LogLevel::info: return "info";
    case LogLevel::debug: return "debug";
  }
  return "?";
}

// One write(2) per line, so that lines of several processes do not mix.
void write_line(int fd, const std::string& line) {
  size_t done = 0;
  while (done < line.size()) {
    ssize_t n = ::write(fd, line.data() + done, line.size() - done);
    if (n <= 0) return;  // a log that cannot be written must not stop the mount
    done += static_cast<size_t>(n);
  }
}

class StderrSink : public LogSink {
 public:
  void write(LogLevel level, std::string_view line) override {
    write_line(STDERR_FILENO, "regfs: " + std::string(word(level)) + ": " + std::string(line) + "\n");
  }
};

class FileSink : public LogSink {
 public:
  explicit FileSink(UniqueFd fd) : fd_(std::move(fd)) {}
  void write(LogLevel level, std::string_view line) override {
    std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    char stamp[32];
    std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &parts);
    write_line(fd_.get(), std::string(stamp) + " regfs[" + std::to_string(getpid()) + "] " + word(level) + ": " +
                              std::string(line) + "\n");
  }

 private:
  UniqueFd fd_;
};

class SyslogSink : public LogSink {
 public:
  SyslogSink() { openlog("regfs", LOG_PID, LOG_DAEMON); }
  void write(LogLevel level, std::string_view line) override {
    syslog(priority(level), "%.*s", static_cast<int>(line.size()), line.data());
  }

 private:
  static int priority(LogLevel level) {
    switch (level) {
      case LogLevel::error: return LOG_ERR;
      case LogLevel::warning: return LOG_WARNING;
      case LogLevel::info: return LOG_INFO;
      case LogLevel::debug: return LOG_DEBUG;
    }
    return LOG_INFO;
  }
};

}  // namespace

Result<LogLevel> parse_log_level(std::string_view text) {
  for (LogLevel level : {LogLevel::error, LogLevel::warning, LogLevel::info, LogLevel::debug}) {
    if (text == word(level)) return level;
  }
  return Error{Errc::invalid_argument,
               "'" + std::string(text) + "' is no log level; use error, warning, info or debug"};
}

std::unique_ptr<LogSink> stderr_sink() {
  return std::make_unique<StderrSink>();
}

Result<std::unique_ptr<LogSink>> file_sink(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640));
  if (!fd.ok()) return Error::from_errno(errno, "cannot open the log file " + path);
  return std::unique_ptr<LogSink>(std::make_unique<FileSink>(std::move(fd)));
}

std::unique_ptr<LogSink> syslog_sink() {
  return std::make_unique<SyslogSink>();
}

Log::Log(std::unique_ptr<LogSink> sink, LogLevel level, const Clock& clock)
    : level_(level), clock_(clock), sink_(std::move(sink)) {}

void Log::write(LogLevel level, std::string_view text) {
  if (level > level_) return;
  std::string line = escape_controls(text);
  MutexLock lock(mutex_);
  sink_->write(level, line);
}

void Log::failure(std::string_view text) {
  {
    MutexLock lock(mutex_);
    Monotonic::time_point now = clock_.now();
    for (auto it = told_.begin(); it != told_.end();) {
      it = now - it->second >= kSameFailure ? told_.erase(it) : std::next(it);
    }
    if (!told_.emplace(std::string(text), now).second) return;
  }
  error(text);
}

void Log::internal_error(std::string_view where, const std::exception& error) noexcept {
  try {
    failure("internal error in " + std::string(where) + ": " + error.what());
  } catch (const std::exception&) {
  }
}

void Log::set_sink(std::unique_ptr<LogSink> sink) {
  MutexLock lock(mutex_);
  sink_ = std::move(sink);
}

std::string escape_controls(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  auto escape = [&out](unsigned char byte) {
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
    out += escaped;
  };
  for (size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    if (byte < 0x20 || byte == 0x7f) {
      escape(byte);
    } else if (byte == 0xc2 && next >= 0x80 && next <= 0x9f) {  // U+0080–U+009F: terminals take them for escapes too
      escape(byte);
      escape(next);
      ++i;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

}  // namespace regfs
