// SPDX-License-Identifier: MIT
// Progress for programs: one JSON object a line, told apart by "event": image, progress (at most once a
// second), layer ("status" is done or cached), done, error, message. Sizes are bytes, times milliseconds. What is
// no UTF-8 is replaced. Not thread-safe.
#pragma once

#include <vector>

#include "tools/progress_view.h"
#include "tools/speed_meter.h"

namespace regfs {

class JsonView : public ProgressView {
 public:
  explicit JsonView(std::function<void(std::string_view)> write);

  void begin(const ImageProgress& image) override;
  void update(const ImageProgress& image) override;
  void finish(const ImageProgress& image, const PullSummary& summary) override;
  void fail(const ImageProgress& image, const std::string& sentence) override;
  void message(const std::string& line) override;

 private:
  void tell_layers(const ImageProgress& image);

  const std::function<void(std::string_view)> write_;
  std::vector<bool> told_;  // of each layer, that it is there
  SpeedMeter meter_;
  Monotonic::time_point progress_told_;
};

}  // namespace regfs
