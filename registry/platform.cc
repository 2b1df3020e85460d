// SPDX-License-Identifier: MIT
#include "registry/platform.h"

#include <algorithm>

namespace regfs::registry {
namespace {

constexpr size_t kMaxPartBytes = 64;
constexpr size_t kMaxStemBytes = 200;  // a file name has 255, and suffixes follow

bool is_part(std::string_view part) {
  if (part.empty() || part.size() > kMaxPartBytes || part.front() == '.' || part.front() == '-') return false;
  return std::all_of(part.begin(), part.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '+' || c == '-';
  });
}

bool is_arm64_v8(const Platform& platform) {
  return platform.architecture == "arm64" && (platform.variant.empty() || platform.variant == "v8");
}

std::optional<std::string> join(const Platform& platform, std::string_view variant) {
  if (platform.os == "unknown" && platform.architecture == "unknown") return std::nullopt;
  if (!is_part(platform.os) || !is_part(platform.architecture)) return std::nullopt;
  std::string stem = platform.os + "-" + platform.architecture;
  auto append = [&stem](std::string_view part) {
    if (part.empty()) return true;
    stem.append("-").append(part);
    return is_part(part);
  };
  if (!append(variant)) return std::nullopt;
  if (platform.os == "windows" && !append(platform.os_version)) return std::nullopt;
  // "linux-x.tar" would be the directory of one platform and the archive of another.
  if (stem.size() > kMaxStemBytes || stem.ends_with(".tar")) return std::nullopt;
  return stem;
}

}  // namespace

std::string Platform::str() const {
  return os + "/" + architecture + (variant.empty() ? "" : "/" + variant);
}

std::optional<std::string> file_stem(const Platform& platform) {
  return join(platform, is_arm64_v8(platform) ? std::string_view() : platform.variant);
}

std::optional<std::string> alternative_stem(const Platform& platform) {
  return is_arm64_v8(platform) ? join(platform, "v8") : std::nullopt;
}

}  // namespace regfs::registry
