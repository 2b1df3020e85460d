// SPDX-License-Identifier: MIT
// The tests' own writer of tar headers, made from POSIX's table of fields and from nothing of the
// program: what both agree on is right twice. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace regfs::test {

inline constexpr uint64_t kTarBlockBytes = 512;

// One header block: mode 0644 (0755 for a name that ends in '/'), owner 0, time 0. The size is octal, or
// base-256 when eleven octal digits (8 GiB) do not hold it.
std::string ustar_header(std::string_view name, uint64_t size_bytes);

uint64_t padded_to_block(uint64_t size_bytes);

// A whole small archive of one file.
std::string tar_of_one_file(std::string_view name, std::string_view text);

}  // namespace regfs::test
