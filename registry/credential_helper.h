// SPDX-License-Identifier: MIT
// Runs docker-credential-NAME, the protocol by which key stores and clouds hand out credentials: one argument,
// `get`; the server on its standard input; JSON on its standard output.
//
// A helper gets no more than kHelperTime and kMaxHelperBytes; then it is killed with all it has started in its process
// group. It inherits the environment, with a PATH where there is none, and no descriptor of ours. Safe to use from any
// thread that may wait.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "registry/credentials.h"

namespace regfs::registry {

inline constexpr size_t kMaxHelperBytes = 64u << 10;
// Where helpers are looked for when there is no PATH: mount(8) runs us without one.
inline constexpr std::string_view kFallbackPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

class HelperRunner {
 public:
  // `path` is $PATH, or empty.
  explicit HelperRunner(std::string path, std::chrono::milliseconds time = std::chrono::seconds(15));
  ~HelperRunner();

  // Waits for the helper. nullopt: it says that it knows none. Errc::not_found: there is no such program, or it failed;
  // timed_out: it was killed; shutting_down; unauthorized: it printed what is no credential. A sentence shows what a
  // failing helper said, if it is one, and nothing of what a successful one printed.
  Result<std::optional<Credential>> get(const std::string& name, const std::string& server);

  // Kills what runs, now and later. Idempotent; any thread.
  void shutdown();

 private:
  const std::string path_;
  const std::chrono::milliseconds time_;
  const UniqueFd stopping_;  // readable once shutdown() was called
};

// What a helper that exited with 0 has printed. Pure.
Result<std::optional<Credential>> parse_helper_answer(std::string_view output, const std::string& program);

}  // namespace regfs::registry
