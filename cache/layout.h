// SPDX-License-Identifier: MIT
// Where things are in a cache directory, and how names become file names. Pure; the format as a whole
// stands in cache/README.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"

namespace regfs::cache {

// The version of the directory this program writes, and the highest it reads.
inline constexpr int kCacheFormat = 1;

class Layout {
 public:
  explicit Layout(std::string root) : root_(std::move(root)) {}

  const std::string& root() const { return root_; }
  std::string marker() const { return root_ + "/regfs-cache"; }
  std::string oci_layout() const { return root_ + "/oci-layout"; }
  std::string oci_index() const { return root_ + "/index.json"; }
  std::string blobs_directory() const { return root_ + "/blobs/sha256"; }
  std::string seals_directory() const { return root_ + "/seals/sha256"; }
  std::string parts_directory() const { return root_ + "/parts"; }
  std::string new_files_directory() const { return root_ + "/tmp"; }
  std::string usage() const { return root_ + "/usage"; }
  std::string refs_directory() const { return root_ + "/refs"; }

  std::string blob(const Digest& digest) const { return blobs_directory() + "/" + digest.hex(); }
  std::string seal(const Digest& digest) const { return seals_directory() + "/" + digest.hex(); }
  // The size belongs to the name: two descriptors that disagree never share a part file.
  std::string part(const Digest& digest, uint64_t size_bytes) const;
  // When another process has part(): one of our own.
  std::string spare_part(const Digest& digest, uint64_t size_bytes, int process, uint64_t number) const;
  std::string ranges(const std::string& part_path) const { return part_path + ".ranges"; }
  std::string repository(std::string_view name) const;

 private:
  const std::string root_;
};

struct PartName {
  enum class Kind { part, spare, ranges };
  Digest digest;
  uint64_t size_bytes = 0;
  Kind kind = Kind::part;
};
// A file name in parts/; nullopt for what is not ours.
std::optional<PartName> parse_part_name(std::string_view file_name);

// The content of marker(), and what it says; nullopt when it is none.
std::string marker_text(int format);
std::optional<int> parse_marker(std::string_view text);

// One path component for any text: letters, digits, '_', '-' and '.' stand for themselves, any other
// byte (and a leading '.') is %XX; what would be longer than kLongestSafeName is "%%" and the SHA-256
// of the text. Different texts never share a name, and none leaves its directory.
inline constexpr size_t kLongestSafeName = 200;  // NAME_MAX is 255; room for an extension
std::string safe_name(std::string_view text);
// The text again; nullopt when the name is a hash or not one of ours.
std::optional<std::string> parse_safe_name(std::string_view name);

}  // namespace regfs::cache
