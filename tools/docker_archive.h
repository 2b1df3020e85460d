// SPDX-License-Identifier: MIT
// The manifest.json of a `docker save` archive. Bounded; errors are Errc::malformed. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace regfs {

inline constexpr uint64_t kMaxDockerManifestBytes = 20ull << 20;  // as Docker has it
inline constexpr size_t kMostDockerImages = 10'000;
inline constexpr size_t kMostDockerLayers = 1'000;

struct DockerImage {
  std::string config;               // the names of members, without "./" in front
  std::vector<std::string> layers;  // base first
};

Result<std::vector<DockerImage>> parse_docker_manifest(const std::string& body);

}  // namespace regfs
