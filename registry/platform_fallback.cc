// SPDX-License-Identifier: MIT
// Which platforms run the images of which others.
#include <optional>

#include "registry/platform.h"

namespace regfs::registry {
namespace {

// "v9.1": 9 and 1. Digits only, so that no word of a user makes a long list.
struct Version {
  int major;
  int minor;
};

std::optional<Version> parse_version(std::string_view variant) {
  auto digit = [&](size_t at) { return variant[at] >= '0' && variant[at] <= '9' ? variant[at] - '0' : -1; };
  if (variant.size() != 2 && variant.size() != 4) return std::nullopt;
  if (variant[0] != 'v' || digit(1) < 0) return std::nullopt;
  if (variant.size() == 2) return Version{digit(1), 0};
  if (variant[2] != '.' || digit(3) < 0) return std::nullopt;
  return Version{digit(1), digit(3)};
}

std::string spelled(Version version) {
  return "v" + std::to_string(version.major) + (version.minor == 0 ? "" : "." + std::to_string(version.minor));
}

constexpr int kOldestAmd64 = 1;
constexpr int kOldestArm = 5;  // older ones have no images
// The Arm architecture reference: v9.x has all of v8.(x+5).
constexpr int kMinorsOfV8InV9 = 5;

std::vector<Version> older(const std::string& architecture, Version version) {
  std::vector<Version> out;
  if (architecture == "amd64" || architecture == "arm") {
    const int oldest = architecture == "arm" ? kOldestArm : kOldestAmd64;
    for (int major = version.major - 1; major >= oldest; --major) out.push_back({major, 0});
  } else if (architecture == "arm64" && (version.major == 8 || version.major == 9)) {
    for (int minor = version.minor - 1; minor >= 0; --minor) out.push_back({version.major, minor});
    if (version.major == 9) {
      for (int minor = version.minor + kMinorsOfV8InV9; minor >= 0; --minor) out.push_back({8, minor});
    }
  }
  return out;
}

}  // namespace

std::vector<Platform> acceptable_platforms(const Platform& wanted) {
  const Platform first = normalised(wanted);
  std::vector<Platform> out{first};
  const std::optional<Version> version = parse_version(first.variant);
  if (!version) return out;
  for (Version lower : older(first.architecture, *version)) {
    out.push_back(normalised({first.os, first.architecture, spelled(lower), first.os_version}));
  }
  return out;
}

}  // namespace regfs::registry
