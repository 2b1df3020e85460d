// SPDX-License-Identifier: MIT
// Where an archive is written: a file that appears whole or not at all, or a stream. One thread.
//
// A file is written as FILE.part beside it and renamed at the end. What an earlier run left there is compared with
// the archive as it comes, and only what differs or is missing is written: so it is resumed without being trusted. The
// part is locked, so that two runs never write one file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace regfs {

class PullTarget {
 public:
  // For an archive of `size_bytes`. A path that names a device or a pipe is written as a stream. Fails when there is no
  // room for it, nothing is then left.
  static Result<std::unique_ptr<PullTarget>> file(const std::string& path, uint64_t size_bytes);
  // Standard output.
  static std::unique_ptr<PullTarget> standard_output();

  virtual ~PullTarget() = default;

  virtual bool is_file() const = 0;  // it can be read again afterwards

  // In ascending order, without a gap. Errors are the system's.
  virtual Result<void> write(uint64_t offset, std::span<const std::byte> bytes) = 0;
  // All is written: it gets its name, on the disk.
  virtual Result<void> publish() = 0;
  // Leaves nothing behind, where that can be helped. Without it and publish() a later run goes on from here.
  virtual void discard() = 0;
};

// "{registry}_{repository}_{tag}_{platform}.tar", with '_' for '/' and ':'. `target` is a tag or a digest.
std::string default_file_name(const std::string& repository, const std::string& target, const std::string& platform);

}  // namespace regfs
