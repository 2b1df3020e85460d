// SPDX-License-Identifier: MIT
// Archives for tests of whoever reads them, well formed or not. Pure.
//
//   TarBuilder().file("index.json", "{}").link("a", "b").bytes();
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "tests/support/ustar.h"

namespace regfs::test {

class TarBuilder {
 public:
  // A header of that type ('0' file, '2' symbolic link, 'x' pax …) that says `size`; no bytes behind it.
  TarBuilder& header(std::string_view name, char type, uint64_t size) {
    std::string block = ustar_header(name, size);
    block[156] = type;
    bytes_ += with_checksum(std::move(block));
    return *this;
  }
  TarBuilder& member(std::string_view name, char type, std::string_view content) {
    header(name, type, content.size());
    bytes_ += content;
    bytes_.resize(padded_to_block(bytes_.size()), '\0');
    return *this;
  }
  TarBuilder& file(std::string_view name, std::string_view content) { return member(name, '0', content); }
  TarBuilder& pax(std::string_view key, std::string_view value) {
    const std::string rest = " " + std::string(key) + "=" + std::string(value) + "\n";
    size_t length = rest.size() + 1;
    while (std::to_string(length).size() + rest.size() != length) ++length;
    return member("pax", 'x', std::to_string(length) + rest);
  }
  TarBuilder& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }

  std::string without_end() const { return bytes_; }
  std::string bytes() const { return bytes_ + std::string(2 * kTarBlockBytes, '\0'); }

  static std::string with_checksum(std::string block) {
    block.replace(148, 8, 8, ' ');
    unsigned sum = 0;
    for (const char c : block) sum += static_cast<unsigned char>(c);
    char digits[8];
    std::snprintf(digits, sizeof digits, "%06o", sum & 0777777);
    block.replace(148, 7, std::string_view(digits, 7));
    return block;
  }

 private:
  std::string bytes_;
};

}  // namespace regfs::test
