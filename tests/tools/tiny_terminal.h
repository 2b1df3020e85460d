// SPDX-License-Identifier: MIT
// As much of a terminal as progress bars need: what remains on its screen is what a user sees. A sequence that
// it does not know, and a line that reaches the last column, are failures of the test.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace regfs::test {

class TinyTerminal {
 public:
  TinyTerminal(size_t columns, size_t rows) : columns_(columns), rows_(rows), lines_(1) {}

  void write(std::string_view text) {
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\x1b') {
        i = sequence(text, i);
      } else if (text[i] == '\r') {
        column_ = 0;
      } else if (text[i] == '\n') {
        column_ = 0;
        if (++row_ == lines_.size()) lines_.emplace_back();
      } else {
        put(text[i]);
      }
    }
  }

  // Long lines wrap anew, as in most terminals. The cursor stands at the start of the last line.
  void resize(size_t columns, size_t rows) {
    std::vector<std::string> wrapped;
    for (size_t i = 0; i + 1 < lines_.size(); ++i) {
      size_t at = 0;
      do {
        wrapped.push_back(lines_[i].substr(at, columns));
        at += columns;
      } while (at < lines_[i].size());
    }
    wrapped.push_back("");
    lines_ = std::move(wrapped);
    row_ = lines_.size() - 1;
    column_ = 0;
    columns_ = columns;
    rows_ = rows;
  }

  // All lines, those that have scrolled off too, without blanks at their ends and without the empty last one.
  std::vector<std::string> lines() const {
    std::vector<std::string> out = lines_;
    for (std::string& line : out) line.erase(line.find_last_not_of(' ') + 1);
    while (!out.empty() && out.back().empty()) out.pop_back();
    return out;
  }
  std::string text() const {
    std::string out;
    for (const std::string& line : lines()) out += line + "\n";
    return out;
  }
  bool coloured() const { return coloured_; }

 private:
  size_t top() const { return lines_.size() > rows_ ? lines_.size() - rows_ : 0; }

  void put(char c) {
    EXPECT_TRUE(c >= ' ' && c <= '~') << "not ASCII: " << static_cast<int>(c);
    EXPECT_LT(column_ + 1, columns_) << "the last column is used in: " << lines_[row_];
    std::string& line = lines_[row_];
    if (line.size() <= column_) line.resize(column_ + 1, ' ');
    line[column_++] = c;
  }

  size_t sequence(std::string_view text, size_t at) {
    size_t end = at + 2;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    const std::string digits(text.substr(at + 2, end - at - 2));
    const size_t number = digits.empty() ? 1 : std::stoul(digits);
    switch (text[end]) {
      case 'A':
        EXPECT_GE(row_, top() + number) << "the cursor is moved above the screen";
        row_ = std::max(top(), row_ - std::min(row_, number));
        break;
      case 'K': lines_[row_].resize(std::min(lines_[row_].size(), column_)); break;
      case 'J':
        lines_[row_].resize(std::min(lines_[row_].size(), column_));
        lines_.resize(row_ + 1);
        break;
      case 'm': coloured_ = true; break;
      default: ADD_FAILURE() << "unknown sequence ending in " << text[end];
    }
    return end;
  }

  size_t columns_;
  size_t rows_;
  std::vector<std::string> lines_;
  size_t row_ = 0;
  size_t column_ = 0;
  bool coloured_ = false;
};

}  // namespace regfs::test
