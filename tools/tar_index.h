// SPDX-License-Identifier: MIT
// Where the members of a tar archive are: ustar, with the long names and sizes of pax and GNU.
//
// Reads headers only, all of them, to the end mark. Strict, for an archive may come from anywhere: what leads outside
// of it, is neither file, directory nor link, is sparse, or says more than there is, is Errc::malformed with a sentence
// that names the member. Nothing is ever unpacked. Memory is bounded. Pure but for `read`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>

#include "base/result.h"

namespace regfs {

inline constexpr size_t kMostTarMembers = 200'000;
inline constexpr uint64_t kLongestTarName = 4096;
inline constexpr uint64_t kLongestPaxHeader = 1ull << 20;

struct TarEntry {
  uint64_t offset = 0;  // of its bytes
  uint64_t size_bytes = 0;
  bool link = false;  // symbolic or hard; has no bytes
};

// Files and links by name, without "./" in front. Of two with one name the last, as tar has it.
using TarIndex = std::map<std::string, TarEntry>;

// Fills all of `out` from `offset`, which lies inside the archive.
using ReadTar = std::function<Result<void>(uint64_t offset, std::span<std::byte> out)>;

Result<TarIndex> read_tar_index(uint64_t size_bytes, const ReadTar& read);

}  // namespace regfs
