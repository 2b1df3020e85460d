// SPDX-License-Identifier: MIT
// The lines of one frame of bars: ASCII, none wider than the terminal minus one, no more of them than the
// terminal has rows minus one (the cursor stands below). Pure; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/progress_view.h"

namespace regfs {

struct Pace {
  std::optional<double> bytes_per_second;
  std::optional<std::chrono::milliseconds> left;
};

struct Paces {
  std::vector<Pace> layers;  // one for each; may be shorter: then unknown
  Pace total;                // of the layers, or of the writing once they are there
};

struct ProgressLine {
  std::string text;
  bool faint;  // of what is done
};

// The title, a line for each layer and the total. When it is narrow the bar goes first, then the time left, then
// the speed, then the bytes. Where layers do not fit, those at work are shown in order, then those that wait
// and last those done, and one line counts the others.
std::vector<ProgressLine> progress_lines(const ImageProgress& image, const Paces& paces, size_t columns, size_t rows);

struct Totals {
  uint64_t present_bytes = 0;
  uint64_t size_bytes = 0;
  size_t complete = 0;
};
Totals totals_of(const ImageProgress& image);

int percent_of(uint64_t part, uint64_t whole);        // rounded down; 0 of 0 is 100
std::string short_digest(const std::string& digest);  // the first 12 digits, as docker shows them
std::string ascii_only(std::string_view text);        // '?' for each other byte and each control

}  // namespace regfs
