// SPDX-License-Identifier: MIT
#include "tests/support/gzip.h"

#include <cstdint>

namespace regfs::test {
namespace {

uint32_t crc32(std::string_view bytes) {
  uint32_t crc = 0xffffffffu;
  for (const char letter : bytes) {
    crc ^= static_cast<unsigned char>(letter);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0xedb88320u : 0u);
  }
  return ~crc;
}

void append_little_endian(std::string& out, uint64_t value, int bytes) {
  for (int at = 0; at < bytes; ++at, value >>= 8) out += static_cast<char>(value & 0xff);
}

}  // namespace

std::string gzip_stored(std::string_view bytes) {
  std::string out("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", 10);
  std::string_view rest = bytes;
  do {
    const std::string_view block = rest.substr(0, 0xffff);
    rest.remove_prefix(block.size());
    out += rest.empty() ? '\x01' : '\x00';
    append_little_endian(out, block.size(), 2);
    append_little_endian(out, ~block.size(), 2);
    out += block;
  } while (!rest.empty());
  append_little_endian(out, crc32(bytes), 4);
  append_little_endian(out, bytes.size(), 4);
  return out;
}

}  // namespace regfs::test
