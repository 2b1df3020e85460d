// SPDX-License-Identifier: MIT
#include "fs/platform_list.h"

#include <algorithm>

namespace regfs::fs {
namespace {

constexpr size_t kDigestDigitsInName = 12;

// "10.0.20348" of "10.0.20348.2849": what the containers of one Windows host share.
std::string_view windows_build(std::string_view os_version) {
  size_t end = 0;
  for (int parts = 0; parts < 3 && end != std::string_view::npos; ++parts) {
    end = os_version.find('.', end == 0 ? 0 : end + 1);
  }
  return os_version.substr(0, end);
}

enum class VersionMatch { none, same_build, exact };

VersionMatch match_version(const registry::Platform& wanted, const registry::Platform& there) {
  const std::string& version = wanted.os_version;
  if (version.empty() || there.os_version == version || there.os_version.starts_with(version + "."))
    return VersionMatch::exact;
  const bool same = wanted.os == "windows" && windows_build(version) == windows_build(there.os_version);
  return same ? VersionMatch::same_build : VersionMatch::none;
}

}  // namespace

bool PlatformList::add(const registry::Platform& platform, registry::Descriptor manifest) {
  std::optional<std::string> stem = registry::file_stem(platform);
  if (!stem) return false;
  auto named = [this](const std::string& name) {
    return std::any_of(entries_.begin(), entries_.end(), [&](const auto& entry) { return entry.stem == name; });
  };
  std::string name = *stem;
  if (named(name)) {
    name += "-" + manifest.digest.hex().substr(0, kDigestDigitsInName);
    // An index that lists one manifest twice says nothing new the second time.
    if (named(name) || find(*stem)->manifest.digest == manifest.digest) return true;
  }
  std::string alternative = name == *stem ? registry::alternative_stem(platform).value_or("") : "";
  entries_.push_back({std::move(name), std::move(alternative), std::move(manifest), platform});
  return true;
}

const PlatformEntry* PlatformList::find(std::string_view stem) const {
  auto by_stem = std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) { return entry.stem == stem; });
  if (by_stem != entries_.end()) return &*by_stem;
  auto by_other =
      std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) { return entry.alternative == stem; });
  return by_other != entries_.end() ? &*by_other : nullptr;
}

PlatformChoice PlatformList::choose(const registry::Platform& wanted) const {
  auto search = [&](const registry::Platform& platform, bool as_spelled, VersionMatch version) -> const PlatformEntry* {
    auto found = std::find_if(entries_.begin(), entries_.end(), [&](const PlatformEntry& entry) {
      const registry::Platform there = as_spelled ? entry.platform : registry::normalised(entry.platform);
      return there.os == platform.os && there.architecture == platform.architecture &&
             there.variant == platform.variant && match_version(platform, there) == version;
    });
    return found != entries_.end() ? &*found : nullptr;
  };
  bool exact = true;
  for (const registry::Platform& platform : registry::acceptable_platforms(wanted)) {
    if (exact) {
      if (const auto* entry = search(wanted, true, VersionMatch::exact)) return {entry, true};
    }
    if (const auto* entry = search(platform, false, VersionMatch::exact)) return {entry, exact};
    if (const auto* entry = search(platform, false, VersionMatch::same_build)) return {entry, false};
    exact = false;
  }
  return {nullptr, false};
}

}  // namespace regfs::fs
