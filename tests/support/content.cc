// SPDX-License-Identifier: MIT
#include "tests/support/content.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/sha256.h"

namespace regfs::test {
namespace {

constexpr uint64_t kBlockBytes = 4096;
constexpr uint64_t kPatternBytes = 1ull << 20;
constexpr std::string_view kGzipMagic("\x1f\x8b\x08\x00", 4);

// SplitMix64: every seed gives a sequence of its own.
uint64_t mixed(uint64_t value) {
  value += 0x9e3779b97f4a7c15u;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
  return value ^ (value >> 31);
}

void require_inside(const Content& content, uint64_t offset, uint64_t length) {
  REGFS_CHECK(offset <= content.size_bytes() && length <= content.size_bytes() - offset,
              "a test reads outside of a blob's content");
}

class KeptBytes : public Content {
 public:
  explicit KeptBytes(std::string bytes) : bytes_(std::move(bytes)) {}
  uint64_t size_bytes() const override { return bytes_.size(); }
  void read(uint64_t offset, std::span<std::byte> out) const override {
    require_inside(*this, offset, out.size());
    if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
  }

 private:
  const std::string bytes_;
};

// A repeated pattern whose every block begins with a stamp made from its number.
class SeededBytes : public Content {
 public:
  SeededBytes(uint64_t seed, uint64_t size_bytes) : seed_(seed), size_bytes_(size_bytes), pattern_(kPatternBytes) {
    for (uint64_t at = 0; at < kPatternBytes; at += sizeof(uint64_t)) {
      const uint64_t word = mixed(seed + at);
      std::memcpy(pattern_.data() + at, &word, sizeof(word));
    }
  }

  uint64_t size_bytes() const override { return size_bytes_; }

  void read(uint64_t offset, std::span<std::byte> out) const override {
    require_inside(*this, offset, out.size());
    while (!out.empty()) {
      const uint64_t inside = offset % kBlockBytes;
      const size_t count = static_cast<size_t>(std::min<uint64_t>(kBlockBytes - inside, out.size()));
      copy_from_block(offset / kBlockBytes, inside, out.first(count));
      out = out.subspan(count);
      offset += count;
    }
  }

 private:
  void copy_from_block(uint64_t block, uint64_t inside, std::span<std::byte> out) const {
    std::memcpy(out.data(), pattern_.data() + (block * kBlockBytes) % kPatternBytes + inside, out.size());
    uint64_t stamp = mixed(seed_ ^ mixed(block + 1));
    if (block == 0) std::memcpy(&stamp, kGzipMagic.data(), kGzipMagic.size());
    if (inside >= sizeof(stamp)) return;
    const size_t count = std::min(sizeof(stamp) - static_cast<size_t>(inside), out.size());
    std::memcpy(out.data(), reinterpret_cast<const std::byte*>(&stamp) + inside, count);
  }

  const uint64_t seed_;
  const uint64_t size_bytes_;
  std::vector<std::byte> pattern_;
};

}  // namespace

ContentPtr kept_bytes(std::string bytes) {
  return std::make_shared<KeptBytes>(std::move(bytes));
}

ContentPtr seeded_bytes(uint64_t seed, uint64_t size_bytes) {
  return std::make_shared<SeededBytes>(seed, size_bytes);
}

Digest digest_of(const Content& content) {
  Sha256 hasher;
  std::vector<std::byte> piece(256 << 10);
  for (uint64_t at = 0; at < content.size_bytes();) {
    const auto part =
        std::span(piece).first(static_cast<size_t>(std::min<uint64_t>(piece.size(), content.size_bytes() - at)));
    content.read(at, part);
    hasher.update(part);
    at += part.size();
  }
  return hasher.finish();
}

std::string bytes_of(const Content& content) {
  return bytes_of(content, 0, content.size_bytes());
}

std::string bytes_of(const Content& content, uint64_t offset, uint64_t length) {
  std::string bytes(static_cast<size_t>(length), '\0');
  content.read(offset, std::as_writable_bytes(std::span(bytes.data(), bytes.size())));
  return bytes;
}

}  // namespace regfs::test
