// SPDX-License-Identifier: MIT
#include "tools/byte_progress.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace regfs::byte_progress_test {
namespace {

struct Shown {
  test::FakeClock clock;
  std::string text;
  std::unique_ptr<ByteProgress> progress;

  explicit Shown(bool is_terminal, int columns = 80) {
    Terminal terminal{is_terminal, false, [columns] { return std::pair(columns, 24); }};
    progress = std::make_unique<ByteProgress>("checking", 4 << 20, std::move(terminal), clock,
                                              [this](std::string_view piece) { text += piece; });
  }
};

TEST(ByteProgress, ShowsNothingButMessagesWhereThereIsNoTerminal) {
  Shown shown(false);
  shown.progress->add(1 << 20);
  shown.progress->message("one\x1b[2J is damaged");
  shown.progress.reset();
  EXPECT_EQ(shown.text, "one\\x1b[2J is damaged\n");
}

TEST(ByteProgress, DrawsOverItselfAndLeavesNothingBehind) {
  Shown shown(true);
  shown.progress->add(1 << 20);
  EXPECT_EQ(shown.text, "\r\x1b[Kchecking 25%  1.0 MiB / 4.0 MiB");
  shown.text.clear();
  shown.progress->add(1 << 20);
  EXPECT_EQ(shown.text, "") << "too soon after the last";
  shown.clock.advance(std::chrono::seconds(2));
  shown.progress->add(1 << 20);
  EXPECT_TRUE(shown.text.starts_with("\r\x1b[Kchecking 75%  3.0 MiB / 4.0 MiB  1.5 MiB/s  0:00")) << shown.text;
  shown.text.clear();
  shown.progress.reset();
  EXPECT_EQ(shown.text, "\r\x1b[K");
}

TEST(ByteProgress, PutsMessagesAboveItself) {
  Shown shown(true);
  shown.progress->add(1 << 20);
  shown.text.clear();
  shown.progress->message("one is damaged");
  EXPECT_EQ(shown.text, "\r\x1b[Kone is damaged\n\r\x1b[Kchecking 25%  1.0 MiB / 4.0 MiB");
}

TEST(ByteProgress, IsNoWiderThanTheTerminal) {
  Shown shown(true, 12);
  shown.progress->add(1 << 20);
  EXPECT_EQ(shown.text, "\r\x1b[Kchecking 25");
}

}  // namespace
}  // namespace regfs::byte_progress_test
