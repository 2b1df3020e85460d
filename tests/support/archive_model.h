// SPDX-License-Identifier: MIT
// The archive of an image as it must be, built from its description alone and from nothing of the
// program: what a mount gives is compared with it byte by byte. Holds no layer in memory. Immutable.
//
// Members, in this order: oci-layout, index.json, manifest.json, blobs/, blobs/sha256/, the manifest,
// the config, each layer once. Two zero blocks end it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "tests/support/sample_images.h"

namespace regfs::test {

// What the archive calls its image; none when it was addressed by digest.
struct ArchiveNames {
  std::string full;      // "docker.io/library/nginx:latest"
  std::string familiar;  // "nginx:latest"
  std::string tag;       // "latest"
};

class ArchiveModel {
 public:
  struct Member {
    std::string name;
    uint64_t header_offset;
    uint64_t offset;  // of its bytes
    ContentPtr content;
    uint64_t end() const { return offset + content->size_bytes(); }
  };

  ArchiveModel(const SampleImage& image, const std::optional<ArchiveNames>& names);
  // As found below HOST/repository/tag/ of a registry that is not docker.io.
  ArchiveModel(const SampleImage& image, const std::string& host, const std::string& repository,
               const std::string& tag);

  uint64_t size_bytes() const { return size_bytes_; }
  const std::vector<Member>& members() const { return members_; }
  const Member& member(std::string_view name) const;
  const Member& member(const SampleLayer& layer) const;

  // Clipped to the archive's end.
  std::string read(uint64_t offset, uint64_t length) const;
  std::string bytes() const { return read(0, size_bytes_); }
  Digest digest() const;

 private:
  void add(const std::string& name, ContentPtr content);

  std::vector<Member> members_;
  uint64_t size_bytes_ = 0;
};

}  // namespace regfs::test
