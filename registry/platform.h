// SPDX-License-Identifier: MIT
// os/architecture/variant, and how it is spelled as a file name.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace regfs::registry {

struct Platform {
  std::string os;            // "linux"
  std::string architecture;  // "arm"
  std::string variant;       // "v7", may be empty
  std::string os_version;    // "10.0.20348.2849" on Windows, otherwise usually empty

  std::string str() const;  // "linux/arm/v7"
  friend auto operator<=>(const Platform&, const Platform&) = default;
};

// The stem of the file: "linux-arm-v7", "linux-arm64" (arm64/v8 is arm64), with the OS version behind
// for Windows. nullopt when a part is not [A-Za-z0-9._+-]{1,64} or starts with '.' or '-', or the stem
// would be over 200 bytes: a hostile name is hidden, not escaped. os and architecture must be
// non-empty, and "unknown" for both is no platform.
std::optional<std::string> file_stem(const Platform& platform);

// Another spelling that resolves to the same platform, if there is one: "linux-arm64" ↔ "linux-arm64-v8".
std::optional<std::string> alternative_stem(const Platform& platform);

}  // namespace regfs::registry
