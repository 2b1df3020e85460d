// SPDX-License-Identifier: MIT
#include "tools/byte_progress.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "tools/human_size.h"
#include "tools/progress_lines.h"

namespace regfs {
namespace {

constexpr std::string_view kToStartAndErase = "\r\x1b[K";
constexpr int kUnknownColumns = 80;

}  // namespace

ByteProgress::ByteProgress(std::string word, uint64_t whole_bytes, Terminal terminal, const Clock& clock,
                           std::function<void(std::string_view)> write)
    : word_(std::move(word)),
      whole_bytes_(whole_bytes),
      terminal_(std::move(terminal)),
      clock_(clock),
      write_(std::move(write)),
      drawn_at_(clock.now()) {
  meter_.look(0, drawn_at_);
}

ByteProgress::~ByteProgress() {
  erase();
}

void ByteProgress::add(uint64_t bytes) {
  bytes_ += bytes;
  if (!terminal_.is_terminal) return;
  const Monotonic::time_point now = clock_.now();
  if (drawn_ && now - drawn_at_ < kEvery) return;
  drawn_at_ = now;
  draw();
}

void ByteProgress::message(std::string_view line) {
  const bool again = drawn_;
  erase();
  write_(escape_controls(line) + "\n");
  if (again) draw();
}

void ByteProgress::draw() {
  meter_.look(bytes_, drawn_at_);
  std::string line = word_ + " " + std::to_string(percent_of(bytes_, whole_bytes_)) + "%  " + human_size(bytes_) +
                     " / " + human_size(whole_bytes_);
  if (const auto speed = meter_.bytes_per_second()) line += "  " + human_speed(*speed);
  const auto left = meter_.time_for(whole_bytes_ - std::min(bytes_, whole_bytes_));
  if (left) line += "  " + human_duration(*left);
  const int columns = terminal_.columns_and_rows().first;
  line.resize(std::min(line.size(), static_cast<size_t>(std::max(columns > 0 ? columns : kUnknownColumns, 2) - 1)));
  write_(std::string(kToStartAndErase) + line);
  drawn_ = true;
}

void ByteProgress::erase() {
  if (drawn_) write_(kToStartAndErase);
  drawn_ = false;
}

}  // namespace regfs
