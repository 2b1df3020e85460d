// SPDX-License-Identifier: MIT
// Progress for logs: a line when an image starts, one for each layer that is there, and every five seconds one
// of the total. Not thread-safe.
#pragma once

#include <vector>

#include "tools/progress_view.h"
#include "tools/speed_meter.h"

namespace regfs {

class PlainView : public ProgressView {
 public:
  explicit PlainView(std::function<void(std::string_view)> write);

  void begin(const ImageProgress& image) override;
  void update(const ImageProgress& image) override;
  void finish(const ImageProgress& image, const PullSummary& summary) override;
  void fail(const ImageProgress& image, const std::string& sentence) override;
  void message(const std::string& line) override;

 private:
  void tell_layers(const ImageProgress& image);
  void tell_total(const ImageProgress& image);

  const std::function<void(std::string_view)> write_;
  std::vector<bool> told_;  // of each layer, that it is there
  SpeedMeter meter_;
  SpeedMeter writing_;
  Monotonic::time_point total_told_;
};

}  // namespace regfs
