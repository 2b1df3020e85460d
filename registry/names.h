// SPDX-License-Identifier: MIT
// What names mean at a registry: its tags, a manifest, a small blob. Each call waits on the calling thread;
// client.h says what each answers. Owned by Client; safe to use from any thread that may wait.
#pragma once

#include <string>
#include <vector>

#include "base/log.h"
#include "registry/client.h"
#include "registry/exchange.h"

namespace regfs::registry {

// A tag list that is longer is refused rather than cut: a listing is never silently short.
inline constexpr size_t kMaxTagPages = 2'000;
inline constexpr size_t kMaxTags = 500'000;
inline constexpr size_t kMaxTagListBytes = 64u << 20;

class Names {
 public:
  Names(Exchange& exchange, Log& log) : exchange_(exchange), log_(log) {}

  Result<std::vector<std::string>> tags(const Repository& repository);
  Result<ManifestHead> head_manifest(const Reference& reference);
  Result<FetchedManifest> manifest(const Reference& reference);
  Result<std::string> small_blob(const Repository& repository, const Descriptor& descriptor);

 private:
  Exchange& exchange_;
  Log& log_;
};

}  // namespace regfs::registry
