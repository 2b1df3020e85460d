// SPDX-License-Identifier: MIT
// os/architecture/variant, and how it is spelled: by users, and as a file name. Pure but for this_machine();
// any thread.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

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

// The one spelling of each platform that has several, as containerd's package "platforms" chooses it:
// x86_64 is amd64, aarch64 arm64, i386 386, armhf arm/v7, armel arm/v6, macos darwin; amd64/v1 is amd64,
// arm64/v8 is arm64, arm is arm/v7. ASCII letters of all but the OS version are lowered.
Platform normalised(Platform platform);

// What a user writes: OS/ARCH[/VARIANT][:OS_VERSION], as crane takes it ("windows/amd64:10.0.20348.2849").
// Normalised. Anything else is Errc::invalid_argument with a sentence that says the form, and the right word
// where it can be guessed. Any well-formed OS and architecture passes: whether it exists is the index's to say.
Result<Platform> parse_platform(std::string_view text);

// The same words back: "linux/arm/v7", "windows/amd64:10.0.20348.2849".
std::string platform_argument(const Platform& platform);

// What runs where `wanted` is wanted, best first, the wanted one at the front; all normalised, with the OS
// version of `wanted`. After containerd: amd64/v3 takes v2 and plain amd64, arm/v7 takes v6 and v5, arm64/v9.1
// takes v9, v8.6 down to plain arm64. Never another architecture (containerd gives a 386 image where amd64 is
// missing): in a file, that is not what was asked for.
std::vector<Platform> acceptable_platforms(const Platform& wanted);

// By uname(2)'s machine name on Linux: "armv7l" is linux/arm/v7, "loongarch64" linux/loong64.
Platform platform_of_machine(std::string_view machine);
Platform this_machine();  // the kernel's, which may be 64-bit under a 32-bit program

}  // namespace regfs::registry
