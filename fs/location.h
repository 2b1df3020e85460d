// SPDX-License-Identifier: MIT
// A directory of the mount by its path, and what such a path may stand for.
//
// Which of the candidates it is only the registry can say (fs/name_rules.h asks); here is the grammar
// alone. An immutable value; pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/reference.h"

namespace regfs::fs {

struct Location {
  std::string path;                     // from the root of the mount, as typed: "", "ghcr.io/acme/api"
  std::optional<std::string> host;      // canonical; nullopt: the root of every registry
  std::vector<std::string> components;  // below the host

  bool is_root() const { return path.empty(); }
};

// `host` canonical, or nullopt for a mount of every registry.
Location root_location(std::optional<std::string> host);

// The directory NAME in `parent`, if a directory of that name can be at all: below the root of every
// registry a host or a component of a repository, elsewhere a component, a tag or a digest.
std::optional<Location> child_location(const Location& parent, const std::string& name);

// The directory as a repository; nullopt when the path cannot be the name of one.
std::optional<registry::Repository> as_repository(const Location& location);

// The directory as a tag or digest of the repository above it; nullopt when it cannot be one.
std::optional<registry::Reference> as_reference(const Location& location);

// `name` as a tag or digest of the repository that `parent` may be; nullopt when it cannot be one.
std::optional<registry::Reference> reference_below(const Location& parent, const std::string& name);

// "linux-amd64" of "linux-amd64.tar"; nullopt for any other ending.
std::optional<std::string> archive_stem(std::string_view name);

}  // namespace regfs::fs
