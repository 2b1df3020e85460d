// SPDX-License-Identifier: MIT
// GNU tar as a second opinion. A machine without it skips the tests that ask.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

namespace regfs::test {

struct CommandOutput {
  int exit_code;     // -1 when it could not be run
  std::string text;  // standard output and error
};

inline CommandOutput run(const std::string& command) {
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (!pipe) return {-1, ""};
  CommandOutput output{-1, ""};
  std::array<char, 4096> buffer;
  while (size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) output.text.append(buffer.data(), n);
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) output.exit_code = WEXITSTATUS(status);
  return output;
}

// One language, one time zone, nothing from the user's TAR_OPTIONS.
inline CommandOutput gnu_tar(const std::string& arguments) {
  return run("env -u TAR_OPTIONS LC_ALL=C TZ=UTC tar " + arguments);
}

inline bool has_gnu_tar() {
  return gnu_tar("--version").text.find("GNU tar") != std::string::npos;
}

inline void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

}  // namespace regfs::test

// NOLINTNEXTLINE(*-macro-usage): GTEST_SKIP returns from the test it stands in
#define REGFS_SKIP_WITHOUT_GNU_TAR() \
  if (!::regfs::test::has_gnu_tar()) GTEST_SKIP() << "needs GNU tar"
