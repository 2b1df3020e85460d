// SPDX-License-Identifier: MIT
// How users and machines name a platform.
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <bit>

#include "registry/platform.h"
#include "registry/text.h"

namespace regfs::registry {
namespace {

struct Alias {
  std::string_view name;
  std::string_view architecture;
  std::string_view variant;  // empty: the one that was written
};

// The first seven are containerd's, the others what uname(2) says.
constexpr Alias kAliases[] = {
    {"i386", "386", ""},      {"x86_64", "amd64", ""},       {"x86-64", "amd64", ""},
    {"aarch64", "arm64", ""}, {"armhf", "arm", "v7"},        {"armel", "arm", "v6"},
    {"i486", "386", ""},      {"i586", "386", ""},           {"i686", "386", ""},
    {"armv5l", "arm", "v5"},  {"armv5tel", "arm", "v5"},     {"armv5tejl", "arm", "v5"},
    {"armv6l", "arm", "v6"},  {"armv7l", "arm", "v7"},       {"armv8l", "arm", "v8"},
    {"armv7", "arm", "v7"},   {"aarch64_be", "arm64be", ""}, {"loongarch64", "loong64", ""},
};

// Enough to guess what a mistaken user meant; nothing is refused for not being here.
constexpr std::string_view kArchitectures[] = {"386",    "amd64",    "arm",     "arm64", "loong64", "mips",  "mipsle",
                                               "mips64", "mips64le", "ppc64le", "ppc64", "riscv64", "s390x", "wasm"};
constexpr std::string_view kSystems[] = {"linux", "windows", "darwin", "freebsd", "netbsd", "openbsd", "solaris"};

template <typename Words>
bool among(const Words& words, std::string_view word) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

constexpr size_t kMaxWordBytes = 64;  // as in a file name

bool is_word(std::string_view word) {
  if (word.empty() || word.size() > kMaxWordBytes) return false;
  return std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (size_t start = 0;;) {
    const size_t end = text.find(at, start);
    parts.push_back(text.substr(start, end - start));
    if (end == std::string_view::npos) return parts;
    start = end + 1;
  }
}

bool is_architecture(std::string_view word) {
  return among(kArchitectures, normalised({"linux", std::string(word), "", ""}).architecture);
}

// "; did you mean linux/arm64?", or nothing.
std::string guess(const std::vector<std::string_view>& parts) {
  auto meant = [](const std::string& platform) { return "; did you mean " + platform + "?"; };
  if (parts.size() == 1 && is_architecture(parts[0])) {
    const std::string architecture = to_lower(parts[0]);
    // "arm" is a word of its own, and need not be told as arm/v7.
    return meant(among(kArchitectures, architecture) ? "linux/" + architecture
                                                     : normalised({"linux", architecture, "", ""}).str());
  }
  if (parts.size() == 1 && among(kSystems, to_lower(parts[0]))) return meant(to_lower(parts[0]) + "/amd64");
  if (parts.size() == 2 && parts[1].empty() && among(kSystems, to_lower(parts[0]))) {
    return meant(to_lower(parts[0]) + "/amd64");
  }
  return {};
}

Error no_platform(std::string_view text, const std::string& hint) {
  return Error(Errc::invalid_argument, in_quotes(text) +
                                           " is no platform; give OS/ARCH or OS/ARCH/VARIANT, like linux/arm64 or "
                                           "linux/arm/v7" +
                                           hint);
}

}  // namespace

Platform normalised(Platform platform) {
  platform.os = to_lower(platform.os);
  platform.architecture = to_lower(platform.architecture);
  platform.variant = to_lower(platform.variant);
  if (platform.os == "macos") platform.os = "darwin";
  for (const Alias& alias : kAliases) {
    if (alias.name != platform.architecture) continue;
    platform.architecture = alias.architecture;
    if (!alias.variant.empty()) platform.variant = alias.variant;
    break;
  }
  std::string& variant = platform.variant;
  const bool takes_digits = platform.architecture.starts_with("arm") || platform.architecture == "amd64";
  if (takes_digits && variant.size() == 1 && variant[0] >= '1' && variant[0] <= '9') variant.insert(0, "v");
  if (platform.architecture == "amd64" && variant == "v1") variant.clear();
  if (platform.architecture == "arm64" && (variant == "v8" || variant == "v8.0")) variant.clear();
  if (platform.architecture == "arm64" && variant == "v9.0") variant = "v9";
  if (platform.architecture == "arm" && variant.empty()) variant = "v7";
  return platform;
}

Result<Platform> parse_platform(std::string_view text) {
  const size_t colon = text.find(':');
  const std::vector<std::string_view> parts = split(text.substr(0, colon), '/');
  const std::string_view os_version = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  if (parts.size() < 2 || parts.size() > 3 || !std::all_of(parts.begin(), parts.end(), is_word)) {
    return no_platform(text, guess(parts));
  }
  if (colon != std::string_view::npos && !is_word(os_version)) {
    return no_platform(text, "; an OS version stands behind a colon, like windows/amd64:10.0.20348");
  }
  if (is_architecture(parts[0]) && among(kSystems, to_lower(parts[1]))) {
    return no_platform(text, "; did you mean " + to_lower(parts[1]) + "/" + to_lower(parts[0]) + "?");
  }
  return normalised({std::string(parts[0]), std::string(parts[1]), std::string(parts.size() == 3 ? parts[2] : ""),
                     std::string(os_version)});
}

std::string platform_argument(const Platform& platform) {
  return platform.str() + (platform.os_version.empty() ? "" : ":" + platform.os_version);
}

Platform platform_of_machine(std::string_view machine) {
  std::string architecture(machine);
  // One name for both byte orders, of which this program runs in one.
  if (std::endian::native == std::endian::little && (machine == "mips" || machine == "mips64")) architecture += "le";
  return normalised({"linux", std::move(architecture), "", ""});
}

Platform this_machine() {
  utsname names{};
  uname(&names);  // fails for a bad pointer only
  return platform_of_machine(names.machine);
}

}  // namespace regfs::registry
