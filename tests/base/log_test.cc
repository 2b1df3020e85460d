// SPDX-License-Identifier: MIT
#include "base/log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/fake_clock.h"
#include "tests/support/memory_log.h"
#include "tests/support/temp_dir.h"

namespace regfs::log_test {
namespace {

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

TEST(LogLevel, RefusesAnyOtherWord) {
  for (const char* text : {"", "warn", "ERROR", "trace", "error "}) {
    Result<LogLevel> level = parse_log_level(text);
    ASSERT_FALSE(level) << text;
    EXPECT_TRUE(level.error().is(Errc::invalid_argument));
  }
}

TEST(LogLevel, IsSpelledInFourWords) {
  EXPECT_EQ(*parse_log_level("error"), LogLevel::error);
  EXPECT_EQ(*parse_log_level("warning"), LogLevel::warning);
  EXPECT_EQ(*parse_log_level("info"), LogLevel::info);
  EXPECT_EQ(*parse_log_level("debug"), LogLevel::debug);
}

TEST(Log, EscapesWhatWouldForgeALineOrATerminalEscape) {
  EXPECT_EQ(escape_controls("a\nregfs: error: b"), "a\\x0aregfs: error: b");
  EXPECT_EQ(escape_controls("\x1b[2J\x7f\t"), "\\x1b[2J\\x7f\\x09");
  EXPECT_EQ(escape_controls(std::string_view("a\0b", 3)), "a\\x00b");
  const std::string csi = "\xc2\x9b";  // as one character
  EXPECT_EQ(escape_controls(csi + "2J"), "\\xc2\\x9b2J");
}

TEST(Log, LeavesOtherTextAsItIs) {
  EXPECT_EQ(escape_controls("größer ~ 100 %"), "größer ~ 100 %");
}

TEST(Log, EscapesEveryLineItWrites) {
  test::FakeClock clock;
  test::MemoryLog log(clock);
  log.log().error("one\ntwo");
  ASSERT_EQ(log.lines().size(), 1U);
  EXPECT_EQ(log.lines()[0].text, "one\\x0atwo");
}

TEST(Log, LeavesOutWhatIsBelowItsLevel) {
  test::FakeClock clock;
  test::MemoryLog log(clock, LogLevel::warning);
  log.log().error("e");
  log.log().warning("w");
  log.log().info("i");
  log.log().debug("d");
  ASSERT_EQ(log.lines().size(), 2U);
  EXPECT_EQ(log.lines()[0].level, LogLevel::error);
  EXPECT_EQ(log.lines()[1].level, LogLevel::warning);
  EXPECT_FALSE(log.log().debugs());
}

TEST(Log, WritesEverythingWhenItDebugs) {
  test::FakeClock clock;
  test::MemoryLog log(clock, LogLevel::debug);
  log.log().debug("d");
  EXPECT_EQ(log.count("d"), 1U);
  EXPECT_TRUE(log.log().debugs());
}

TEST(Log, TellsAFailureThatManyMeetOnce) {
  test::FakeClock clock;
  test::MemoryLog log(clock);
  for (int reader = 0; reader < 200; ++reader) log.log().failure("layer 3 is dead");
  EXPECT_EQ(log.count("layer 3 is dead"), 1U);
  EXPECT_EQ(log.lines()[0].level, LogLevel::error);
}

TEST(Log, TellsAFailureAgainOnceItIsForgotten) {
  test::FakeClock clock;
  test::MemoryLog log(clock);
  log.log().failure("dead");
  clock.advance(Log::kSameFailure - std::chrono::milliseconds(1));
  log.log().failure("dead");
  EXPECT_EQ(log.count("dead"), 1U);
  clock.advance(std::chrono::milliseconds(1));
  log.log().failure("dead");
  EXPECT_EQ(log.count("dead"), 2U);
}

TEST(Log, TellsEachOfTwoFailures) {
  test::FakeClock clock;
  test::MemoryLog log(clock);
  log.log().failure("layer 1");
  log.log().failure("layer 2");
  EXPECT_EQ(log.lines().size(), 2U);
}

TEST(Log, WritesToItsNewSinkOnly) {
  test::FakeClock clock;
  test::MemoryLog log(clock);
  log.log().info("before");
  auto later = std::make_shared<test::LogLines>();
  log.log().set_sink(std::make_unique<test::MemorySink>(later));
  log.log().info("after");
  EXPECT_EQ(log.lines().size(), 1U);
  ASSERT_EQ(later->all().size(), 1U);
  EXPECT_EQ(later->all()[0].text, "after");
}

TEST(Log, GivesASinkOneLineAtATime) {
  class Alone : public LogSink {
   public:
    explicit Alone(bool& overlapped) : overlapped_(overlapped) {}
    void write(LogLevel, std::string_view) override {
      if (++inside_ != 1) overlapped_ = true;
      std::this_thread::yield();
      --inside_;
    }

   private:
    bool& overlapped_;
    int inside_ = 0;
  };
  bool overlapped = false;
  test::FakeClock clock;
  Log log(std::make_unique<Alone>(overlapped), LogLevel::info, clock);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&log] {
      for (int n = 0; n < 500; ++n) log.info("line");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(overlapped);
}

TEST(StderrSink, SaysWhoSpeaksAndHowBadItIs) {
  testing::internal::CaptureStderr();
  stderr_sink()->write(LogLevel::warning, "slow registry");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "regfs: warning: slow registry\n");
}

TEST(FileSink, SaysWhichFileCannotBeOpened) {
  test::TempDir directory;
  Result<std::unique_ptr<LogSink>> sink = file_sink(directory / "missing/regfs.log");
  ASSERT_FALSE(sink);
  EXPECT_EQ(sink.error().code(), std::error_code(ENOENT, std::generic_category()));
  EXPECT_NE(sink.error().context().find("missing/regfs.log"), std::string::npos);
}

TEST(FileSink, AppendsLinesWithTimeAndProcess) {
  test::TempDir directory;
  const std::string path = directory / "regfs.log";
  std::ofstream(path) << "what was there\n";
  {
    Result<std::unique_ptr<LogSink>> sink = file_sink(path);
    ASSERT_TRUE(sink);
    (*sink)->write(LogLevel::error, "one");
    (*sink)->write(LogLevel::info, "two");
  }
  std::vector<std::string> lines = lines_of(path);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0], "what was there");
  const std::string start = R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ regfs\[)" + std::to_string(getpid()) + R"(\] )";
  EXPECT_TRUE(std::regex_match(lines[1], std::regex(start + "error: one"))) << lines[1];
  EXPECT_TRUE(std::regex_match(lines[2], std::regex(start + "info: two"))) << lines[2];
}

}  // namespace
}  // namespace regfs::log_test
