// SPDX-License-Identifier: MIT
// The platforms of one tag or digest, each under the file name it is shown by.
//
// Pure naming: of entries that would share a name the first in index order keeps it, later ones get
// '-' and 12 hex digits of their digest. An immutable value.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/manifest.h"
#include "registry/platform.h"

namespace regfs::fs {

struct PlatformEntry {
  std::string stem;               // "linux-arm64"; the archive is stem + ".tar"
  std::string alternative;        // another spelling that resolves to it, or empty
  registry::Descriptor manifest;  // of the platform's own manifest
  registry::Platform platform;    // as the index or the config says it
};

struct PlatformChoice {
  const PlatformEntry* entry;  // the list's; null when nothing there runs as the wanted one
  bool exact;                  // false: another stands in for it, which the user should be told
};

class PlatformList {
 public:
  // A manifest with its platform; one whose platform has no file name is left out. False then.
  bool add(const registry::Platform& platform, registry::Descriptor manifest);

  const std::vector<PlatformEntry>& entries() const { return entries_; }
  // By stem, or else by another spelling of one; nullptr when there is none.
  const PlatformEntry* find(std::string_view stem) const;

  // The best of registry::acceptable_platforms(wanted); of equals the one spelled as wanted, then the first in
  // index order. Without an OS version any will do; with one, "10.0.20348" means each "10.0.20348.…", and
  // where that is missing another revision of the same build stands in, as Windows allows.
  PlatformChoice choose(const registry::Platform& wanted) const;

 private:
  std::vector<PlatformEntry> entries_;
};

}  // namespace regfs::fs
