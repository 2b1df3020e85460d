// SPDX-License-Identifier: MIT
#include "fs/location.h"

#include <algorithm>

namespace regfs::fs {
namespace {

constexpr std::string_view kArchiveSuffix = ".tar";
constexpr std::string_view kDigestPrefix = "sha256:";

std::optional<registry::Repository> repository_of(const std::optional<std::string>& host,
                                                  const std::vector<std::string>& components, size_t count) {
  if (!host || count == 0) return std::nullopt;
  std::string name;
  for (size_t i = 0; i < count; ++i) {
    if (!registry::is_repository_component(components[i])) return std::nullopt;
    if (i > 0) name += '/';
    name += components[i];
  }
  Result<registry::Repository> made = registry::make_repository(*host, name);
  if (!made) return std::nullopt;
  return *std::move(made);
}

std::optional<registry::Reference> reference_of(std::optional<registry::Repository> repository,
                                                const std::string& word) {
  if (!repository) return std::nullopt;
  if (word.starts_with(kDigestPrefix)) {
    Result<Digest> digest = Digest::parse(word);
    if (!digest) return std::nullopt;
    return registry::Reference{*std::move(repository), *digest};
  }
  if (!registry::is_tag(word)) return std::nullopt;
  return registry::Reference{*std::move(repository), word};
}

bool can_be_directory(const std::string& name) {
  return registry::is_repository_component(name) || registry::is_tag(name) ||
         (name.starts_with(kDigestPrefix) && Digest::parse(name).has_value());
}

}  // namespace

Location root_location(std::optional<std::string> host) {
  return {"", std::move(host), {}};
}

std::optional<Location> child_location(const Location& parent, const std::string& name) {
  Location child{parent.path.empty() ? name : parent.path + "/" + name, parent.host, parent.components};
  if (!parent.host) {
    if (registry::is_registry_host(name)) {
      child.host = registry::canonical_host(name);
      return child;
    }
    // What looks like a registry and can be none is nothing: on Docker Hub somebody else would answer for it.
    const bool looks_like_host = name.find_first_of(".:") != std::string::npos;
    if (looks_like_host || !registry::is_repository_component(name)) return std::nullopt;
    child.host = std::string(registry::kDockerHub);
  } else if (parent.components.empty() ? !registry::is_repository_component(name) : !can_be_directory(name)) {
    return std::nullopt;
  }
  child.components.push_back(name);
  return child;
}

std::optional<registry::Repository> as_repository(const Location& location) {
  return repository_of(location.host, location.components, location.components.size());
}

std::optional<registry::Reference> as_reference(const Location& location) {
  if (location.components.empty()) return std::nullopt;
  return reference_of(repository_of(location.host, location.components, location.components.size() - 1),
                      location.components.back());
}

std::optional<registry::Reference> reference_below(const Location& parent, const std::string& name) {
  return reference_of(as_repository(parent), name);
}

std::optional<std::string> archive_stem(std::string_view name) {
  if (!name.ends_with(kArchiveSuffix) || name.size() == kArchiveSuffix.size()) return std::nullopt;
  return std::string(name.substr(0, name.size() - kArchiveSuffix.size()));
}

}  // namespace regfs::fs
