// SPDX-License-Identifier: MIT
// System calls on files as values: what came, and the errno that ended it (0: none). Every test of the
// mount looks at it through these, as any program would.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/unique_fd.h"

namespace regfs::test {

struct ReadOutcome {
  std::string bytes;  // before the error or the end of the file
  int error = 0;
};

struct OpenOutcome {
  UniqueFd fd;
  int error = 0;
};

struct ListOutcome {
  std::vector<std::string> names;  // sorted, without "." and ".."
  int error = 0;
};

OpenOutcome open_file(const std::string& path);
// pread until `length` bytes, the end, or an error.
ReadOutcome read_at(int fd, uint64_t offset, uint64_t length, size_t piece_bytes = 128 << 10);
ReadOutcome read_file(const std::string& path, size_t piece_bytes = 128 << 10);

// What a file of text holds now; empty when there is none.
std::string text_file(const std::string& path);

// The SHA-256 of a whole file, read from its beginning, kept nowhere.
struct DigestOutcome {
  std::optional<Digest> digest;
  uint64_t size_bytes = 0;
  int error = 0;
};
DigestOutcome digest_of_file(const std::string& path, size_t piece_bytes = 1 << 20);

ListOutcome list_directory(const std::string& path);
// nullopt with errno set when stat failed.
std::optional<struct stat> stat_of(const std::string& path);
int stat_error(const std::string& path);
int open_error(const std::string& path);
bool exists(const std::string& path);

// Makes the kernel forget what it keeps of the file, so that the next read asks the filesystem.
void forget_pages(int fd);

}  // namespace regfs::test
