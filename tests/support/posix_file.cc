// SPDX-License-Identifier: MIT
#include "tests/support/posix_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/sha256.h"

namespace regfs::test {

OpenOutcome open_file(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const int error = fd.ok() ? 0 : errno;
  return {std::move(fd), error};
}

ReadOutcome read_at(int fd, uint64_t offset, uint64_t length, size_t piece_bytes) {
  ReadOutcome outcome;
  std::string piece(piece_bytes, '\0');
  while (outcome.bytes.size() < length) {
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(piece_bytes, length - outcome.bytes.size()));
    const ssize_t count = ::pread(fd, piece.data(), wanted, static_cast<off_t>(offset + outcome.bytes.size()));
    if (count < 0) outcome.error = errno;
    if (count <= 0) break;
    outcome.bytes.append(piece, 0, static_cast<size_t>(count));
  }
  return outcome;
}

ReadOutcome read_file(const std::string& path, size_t piece_bytes) {
  const OpenOutcome file = open_file(path);
  if (file.error != 0) return {{}, file.error};
  return read_at(file.fd.get(), 0, UINT64_MAX, piece_bytes);
}

std::string text_file(const std::string& path) {
  return read_file(path).bytes;
}

DigestOutcome digest_of_file(const std::string& path, size_t piece_bytes) {
  DigestOutcome outcome;
  const OpenOutcome file = open_file(path);
  outcome.error = file.error;
  Sha256 hasher;
  std::string piece(piece_bytes, '\0');
  while (outcome.error == 0) {
    const ssize_t count = ::read(file.fd.get(), piece.data(), piece.size());
    if (count < 0) outcome.error = errno;
    if (count <= 0) break;
    hasher.update(std::string_view(piece).substr(0, static_cast<size_t>(count)));
    outcome.size_bytes += static_cast<uint64_t>(count);
  }
  if (outcome.error == 0) outcome.digest = hasher.finish();
  return outcome;
}

ListOutcome list_directory(const std::string& path) {
  ListOutcome outcome;
  DIR* const directory = ::opendir(path.c_str());
  if (directory == nullptr) {
    outcome.error = errno;
    return outcome;
  }
  errno = 0;
  while (const dirent* const entry = ::readdir(directory)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") outcome.names.push_back(name);
    errno = 0;
  }
  outcome.error = errno;
  ::closedir(directory);
  std::sort(outcome.names.begin(), outcome.names.end());
  return outcome;
}

std::optional<struct stat> stat_of(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return status;
}

int stat_error(const std::string& path) {
  return stat_of(path) ? 0 : errno;
}

int open_error(const std::string& path) {
  return open_file(path).error;
}

bool exists(const std::string& path) {
  return stat_of(path).has_value();
}

void forget_pages(int fd) {
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

}  // namespace regfs::test
