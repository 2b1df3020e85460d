// SPDX-License-Identifier: MIT
// The ustar header in front of a member of the archive. Pure; any thread.
//
// Nothing in it varies but the name, the size and whether it is a directory: mode 0644 (directories
// 0755), uid and gid 0, mtime 0, no owner names. So equal images are equal archives, byte for byte.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace regfs::fs {

inline constexpr uint64_t kTarBlockBytes = 512;

// The name field of ustar. Longer names would need its prefix field; ours never are.
inline constexpr size_t kMaxTarNameBytes = 100;

// The largest size that eleven octal digits hold, 8 GiB - 1. A larger one is written in base 256: the
// highest bit of the field set, then the number, big-endian. GNU tar, bsdtar, Go and Python read both.
inline constexpr uint64_t kMaxOctalSizeBytes = (1ull << 33) - 1;

using TarHeader = std::array<char, kTarBlockBytes>;

// A name that ends in '/' is a directory, and its size must be 0. The name must be 1 to
// kMaxTarNameBytes bytes, none of them NUL.
TarHeader tar_header(std::string_view name, uint64_t size_bytes);

}  // namespace regfs::fs
