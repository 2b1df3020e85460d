// SPDX-License-Identifier: MIT
#include "tests/support/ustar.h"

#include "base/check.h"

namespace regfs::test {
namespace {

// `digits` octal digits and a NUL.
std::string octal(uint64_t value, size_t digits) {
  std::string text(digits + 1, '0');
  text[digits] = '\0';
  for (size_t at = digits; at > 0; --at, value /= 8) text[at - 1] = static_cast<char>('0' + value % 8);
  REGFS_CHECK(value == 0, "a number does not fit its octal field");
  return text;
}

std::string size_field(uint64_t size_bytes) {
  constexpr uint64_t kEightGiB = 8ull << 30;
  if (size_bytes < kEightGiB) return octal(size_bytes, 11);
  std::string field(12, '\0');
  for (size_t at = field.size(); at > 0; --at, size_bytes >>= 8) field[at - 1] = static_cast<char>(size_bytes & 0xff);
  field[0] = static_cast<char>(0x80);
  return field;
}

}  // namespace

std::string ustar_header(std::string_view name, uint64_t size_bytes) {
  const bool directory = name.ends_with('/');
  REGFS_CHECK(name.size() <= 100, "a test's member name is too long for the name field");
  std::string block(kTarBlockBytes, '\0');
  const auto put = [&block](size_t at, std::string_view field) { block.replace(at, field.size(), field); };
  put(0, name);
  put(100, octal(directory ? 0755 : 0644, 7));
  put(108, octal(0, 7));
  put(116, octal(0, 7));
  put(124, size_field(size_bytes));
  put(136, octal(0, 11));
  put(148, "        ");
  put(156, directory ? "5" : "0");
  put(257, std::string_view("ustar\0"
                            "00",
                            8));
  put(329, octal(0, 7));
  put(337, octal(0, 7));
  uint64_t sum = 0;
  for (const char letter : block) sum += static_cast<unsigned char>(letter);
  put(148, octal(sum, 6));
  return block;
}

uint64_t padded_to_block(uint64_t size_bytes) {
  return (size_bytes + kTarBlockBytes - 1) / kTarBlockBytes * kTarBlockBytes;
}

std::string tar_of_one_file(std::string_view name, std::string_view text) {
  std::string archive = ustar_header(name, text.size());
  archive += text;
  archive.resize(kTarBlockBytes + padded_to_block(text.size()) + 2 * kTarBlockBytes, '\0');
  return archive;
}

}  // namespace regfs::test
