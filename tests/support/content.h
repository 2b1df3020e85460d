// SPDX-License-Identifier: MIT
// The bytes of a blob in the tests' world: kept in memory, or made from a seed whenever they are
// asked for, so that a layer of many GiB needs no memory. Immutable; safe to use from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/digest.h"

namespace regfs::test {

class Content {
 public:
  virtual ~Content() = default;
  virtual uint64_t size_bytes() const = 0;
  // Fills `out` from `offset`; the range lies inside the content.
  virtual void read(uint64_t offset, std::span<std::byte> out) const = 0;
};
using ContentPtr = std::shared_ptr<const Content>;

ContentPtr kept_bytes(std::string bytes);

// Looks like gzip to whoever sniffs (its magic stands first) and does not compress. Every block of 4 KiB
// is different, so bytes that end up in the wrong place are seen. Made at the speed of memcpy.
ContentPtr seeded_bytes(uint64_t seed, uint64_t size_bytes);

// Reads it once from end to end: about a second for each GiB.
Digest digest_of(const Content& content);

std::string bytes_of(const Content& content);
std::string bytes_of(const Content& content, uint64_t offset, uint64_t length);

}  // namespace regfs::test
