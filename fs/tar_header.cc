// SPDX-License-Identifier: MIT
#include "fs/tar_header.h"

#include <algorithm>
#include <span>
#include <string>

#include "base/check.h"

namespace regfs::fs {
namespace {

// A field of the header, by its place in POSIX.1 pax, "ustar Interchange Format".
struct Field {
  size_t offset;
  size_t length;
};

constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kUid{108, 8};
constexpr Field kGid{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kMtime{136, 12};
constexpr Field kChecksum{148, 8};
constexpr Field kTypeflag{156, 1};
constexpr Field kMagicAndVersion{257, 8};
constexpr Field kDevmajor{329, 8};
constexpr Field kDevminor{337, 8};

constexpr uint64_t kFileMode = 0644;
constexpr uint64_t kDirectoryMode = 0755;

std::span<char> field_of(TarHeader& header, Field field) {
  return std::span<char>(header).subspan(field.offset, field.length);
}

void put_text(std::span<char> field, std::string_view text) {
  std::copy(text.begin(), text.end(), field.begin());
}

// As many octal digits as there are places.
void put_octal(std::span<char> digits, uint64_t value) {
  for (size_t i = digits.size(); i-- > 0; value /= 8) digits[i] = static_cast<char>('0' + value % 8);
}

// Numbers end in a NUL, which the header already holds.
void put_number(std::span<char> field, uint64_t value) {
  put_octal(field.first(field.size() - 1), value);
}

void put_base256(std::span<char> field, uint64_t value) {
  for (size_t i = field.size(); i-- > 1; value >>= 8) field[i] = static_cast<char>(value & 0xff);
  field[0] = static_cast<char>(0x80);
}

// The sum of all bytes, with the checksum field itself taken as spaces.
uint64_t checksum(TarHeader& header) {
  std::ranges::fill(field_of(header, kChecksum), ' ');
  uint64_t sum = 0;
  for (char c : header) sum += static_cast<unsigned char>(c);
  return sum;
}

}  // namespace

TarHeader tar_header(std::string_view name, uint64_t size_bytes) {
  REGFS_CHECK(!name.empty() && name.size() <= kMaxTarNameBytes, "the name of a tar member has 1 to 100 bytes");
  REGFS_CHECK(name.find('\0') == std::string_view::npos, "the name of a tar member holds no NUL");
  const bool directory = name.back() == '/';
  REGFS_CHECK(!directory || size_bytes == 0, "a directory in a tar has no bytes");

  TarHeader header{};
  put_text(field_of(header, kName), name);
  put_number(field_of(header, kMode), directory ? kDirectoryMode : kFileMode);
  put_number(field_of(header, kUid), 0);
  put_number(field_of(header, kGid), 0);
  if (size_bytes <= kMaxOctalSizeBytes) {
    put_number(field_of(header, kSize), size_bytes);
  } else {
    put_base256(field_of(header, kSize), size_bytes);
  }
  put_number(field_of(header, kMtime), 0);
  field_of(header, kTypeflag)[0] = directory ? '5' : '0';
  put_text(field_of(header, kMagicAndVersion), std::string_view("ustar\00000", 8));
  put_number(field_of(header, kDevmajor), 0);
  put_number(field_of(header, kDevminor), 0);

  // Six digits, NUL, space: the one field that every tar writes so.
  const uint64_t sum = checksum(header);
  std::span<char> field = field_of(header, kChecksum);
  put_octal(field.first(6), sum);
  field[6] = '\0';
  return header;
}

}  // namespace regfs::fs
