// SPDX-License-Identifier: MIT
// One image into one file or stream, with what the user is told of it. One thread; a second one looks on.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "fs/image_file.h"
#include "fs/image_resolver.h"
#include "tools/counted_source.h"
#include "tools/engine.h"
#include "tools/image_choice.h"
#include "tools/interrupt.h"
#include "tools/pull_options.h"
#include "tools/pull_screen.h"
#include "tools/pull_target.h"

namespace regfs {

// All must outlive the pull.
struct PullParts {
  Engine& engine;
  fs::ImageResolver& resolver;
  const fs::ReadServices& reads;
  std::shared_ptr<ReceivedBytes> received;
  const PullOptions& options;
  PullScreen& screen;
  const Interrupt& interrupt;
  const Clock& clock;
  Log& log;
};

class ImagePull {
 public:
  ImagePull(PullParts parts, const registry::Reference& reference) : parts_(std::move(parts)), reference_(reference) {}

  // What became of it: 0, or an exit code, and then the user has been told.
  int run();

 private:
  // How it ended, in the program's own terms.
  struct Failure {
    int exit_code;
    std::string sentence;
  };

  std::optional<Failure> pull();
  std::optional<Failure> write(const std::shared_ptr<fs::ImageFetch>& fetch, PullTarget& target);
  std::optional<Failure> copy(const std::shared_ptr<fs::ImageFetch>& fetch, PullTarget& target);
  std::string describe(const fs::ImageArchive& archive) const;  // for --dry-run
  ImageProgress look(fs::ImageFetch& fetch) const;
  PullSummary summary(const fs::ImageArchive& archive, bool loadable) const;
  Failure failure(const Error& error, int code) const;
  Failure interrupted() const;
  std::string path_of(const ChosenImage& chosen) const;

  const PullParts parts_;
  const registry::Reference reference_;
  Monotonic::time_point begun_;
  std::string title_;
  std::string path_;  // empty: standard output
  std::string digest_;
  std::atomic<uint64_t> written_ = 0;
  ImageProgress last_look_;
};

}  // namespace regfs
