// SPDX-License-Identifier: MIT
#include "tools/tar_index.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "base/log.h"

namespace regfs {
namespace {

constexpr uint64_t kBlock = 512;
using Block = std::array<char, kBlock>;

std::string_view field(const Block& block, size_t offset, size_t length) {
  const std::string_view text(block.data() + offset, length);
  return text.substr(0, text.find('\0'));
}

Error malformed_tar(const std::string& what) {
  return Error(Errc::malformed, what);
}

std::string in_quotes(std::string_view name) {
  return "'" + escape_controls(name) + "'";
}

// Octal digits among blanks, or base 256 when the highest bit is set; nullopt for anything else and what is negative.
std::optional<uint64_t> number(const Block& block, size_t offset, size_t length) {
  const auto first = static_cast<unsigned char>(block[offset]);
  uint64_t value = 0;
  if (first & 0x80) {
    if (first & 0x40) return std::nullopt;
    value = first & 0x3f;
    for (size_t i = 1; i < length; ++i) {
      if (value >> 56 != 0) return std::nullopt;
      value = value << 8 | static_cast<unsigned char>(block[offset + i]);
    }
    return value;
  }
  std::string_view digits = field(block, offset, length);
  digits.remove_prefix(std::min(digits.find_first_not_of(' '), digits.size()));
  digits = digits.substr(0, digits.find(' '));
  if (digits.empty()) return 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 8);
  if (failed != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

bool checksum_matches(const Block& block) {
  constexpr size_t kAt = 148, kLength = 8;
  uint64_t sum = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    sum += i >= kAt && i < kAt + kLength ? ' ' : static_cast<unsigned char>(block[i]);
  }
  return number(block, kAt, kLength) == sum;
}

bool is_zero(const Block& block) {
  return std::all_of(block.begin(), block.end(), [](char c) { return c == '\0'; });
}

std::string name_of(const Block& block) {
  std::string name(field(block, 0, 100));
  const bool ustar = std::string_view(block.data() + 257, 6) == std::string_view("ustar\0", 6);
  const std::string_view prefix = ustar ? field(block, 345, 155) : std::string_view();
  return prefix.empty() ? name : std::string(prefix) + "/" + name;
}

// The name from the root of the archive, "" for the root itself; nullopt when it leads elsewhere.
std::optional<std::string> inner_name(std::string_view name) {
  if (name.starts_with('/') || name.find('\0') != std::string_view::npos) return std::nullopt;
  std::string inner;
  while (!name.empty()) {
    const std::string_view part = name.substr(0, name.find('/'));
    name.remove_prefix(std::min(part.size() + 1, name.size()));
    if (part == "..") return std::nullopt;
    if (part.empty() || part == ".") continue;
    if (!inner.empty()) inner += '/';
    inner += part;
  }
  return inner;
}

// What a pax header says of the member behind it, as far as it concerns us.
struct Said {
  std::optional<std::string> name;
  std::optional<uint64_t> size_bytes;
};

class Reader {
 public:
  Reader(uint64_t size_bytes, const ReadTar& read) : size_bytes_(size_bytes), read_(read) {}

  Result<TarIndex> read() {
    for (;;) {
      Result<bool> more = read_header();
      if (!more) return more.error();
      if (!*more) return std::move(index_);
    }
  }

 private:
  // False at the end mark.
  Result<bool> read_header() {
    Block block;
    Result<void> filled = fill(block);
    if (!filled) return filled.error();
    if (is_zero(block)) return end();
    if (!checksum_matches(block)) {
      return members_ == 0 ? malformed_tar(no_tar(block))
                           : malformed_tar("the archive is damaged: no header where the next member should begin");
    }
    if (++members_ > kMostTarMembers) {
      return malformed_tar("the archive has more than " + std::to_string(kMostTarMembers) + " members");
    }
    const std::optional<uint64_t> size = number(block, 124, 12);
    if (!size) return malformed_tar("the size of " + in_quotes(name_of(block)) + " is no number");
    Result<void> taken = take(block, *size);
    if (!taken) return taken.error();
    return true;
  }

  Result<void> fill(Block& block) {
    if (size_bytes_ - at_ < kBlock) {
      return malformed_tar(size_bytes_ < kBlock ? "it is no tar archive: it is shorter than a header"
                                                : "the archive is truncated: it has no end mark");
    }
    Result<void> filled = read_(at_, std::as_writable_bytes(std::span(block)));
    at_ += kBlock;
    return filled;
  }

  Result<bool> end() const {
    if (said_.name || said_.size_bytes) return malformed_tar("the archive is damaged: it ends behind a header of pax");
    return false;
  }

  Result<void> take(const Block& block, uint64_t header_size) {
    const char type = block[156];
    switch (type) {
      case 'x': return take_pax(header_size, false);
      case 'g': return take_pax(header_size, true);
      case 'L': return take_long_name(header_size);
      case 'K': return skip(header_size, "a long link");
      default: break;
    }
    const std::string name = said_.name.value_or(name_of(block));
    const uint64_t size = said_.size_bytes.value_or(header_size);
    said_ = {};
    const std::optional<std::string> inner = inner_name(name);
    if (!inner) return malformed_tar(in_quotes(name) + " leads out of the archive");
    switch (type) {
      case '0':
      case '\0':
      case '7': return take_file(name.ends_with('/') ? std::string() : *inner, name, size);
      case '1':
      case '2':
        if (size != 0) return malformed_tar(in_quotes(name) + " is a link with bytes of its own");
        index_[*inner] = {0, 0, true};
        return {};
      case '5': return skip(size, name);
      case 'S':
        return malformed_tar(in_quotes(name) + " is a sparse file of GNU tar; write the archive without --sparse");
      default: return malformed_tar(in_quotes(name) + " is neither a file, a directory nor a link");
    }
  }

  // `inner` is empty for a directory of the oldest tars, which is a file whose name ends in a slash.
  Result<void> take_file(const std::string& inner, const std::string& name, uint64_t size) {
    const uint64_t offset = at_;
    Result<void> skipped = skip(size, name);
    if (!skipped) return skipped;
    if (!inner.empty()) index_[inner] = {offset, size, false};
    return {};
  }

  Result<void> skip(uint64_t size, const std::string& name) {
    if (size > size_bytes_ - at_) {
      return malformed_tar("the archive is truncated: " + in_quotes(name) + " has " + std::to_string(size) +
                           " bytes, and " + std::to_string(size_bytes_ - at_) + " are there");
    }
    at_ += size;
    at_ += std::min((kBlock - size % kBlock) % kBlock, size_bytes_ - at_);
    return {};
  }

  Result<std::string> body(uint64_t size, uint64_t most, const std::string& what) {
    if (size > most) return malformed_tar(what + " is longer than " + std::to_string(most) + " bytes");
    const uint64_t offset = at_;
    Result<void> skipped = skip(size, what);
    if (!skipped) return skipped.error();
    std::string text(size, '\0');
    Result<void> filled = read_(offset, std::as_writable_bytes(std::span(text)));
    if (!filled) return filled.error();
    return text;
  }

  Result<void> take_long_name(uint64_t size) {
    Result<std::string> text = body(size, kLongestTarName, "a long name");
    if (!text) return text.error();
    said_.name = text->substr(0, text->find('\0'));
    return {};
  }

  // Records are "LENGTH KEY=VALUE\n", the length that of the whole record.
  Result<void> take_pax(uint64_t size, bool global) {
    Result<std::string> text = body(size, kLongestPaxHeader, "a header of pax");
    if (!text) return text.error();
    std::string_view rest(*text);
    while (!rest.empty()) {
      size_t length = 0;
      const auto [end, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), length);
      const auto digits = static_cast<size_t>(end - rest.data());
      if (failed != std::errc() || length > rest.size() || length < digits + 2 || rest[digits] != ' ' ||
          rest[length - 1] != '\n') {
        return malformed_tar("the archive is damaged: a header of pax is not what it must be");
      }
      const std::string_view record = rest.substr(digits + 1, length - digits - 2);
      rest.remove_prefix(length);
      Result<void> taken = take_record(record, global);
      if (!taken) return taken;
    }
    return {};
  }

  Result<void> take_record(std::string_view record, bool global) {
    const size_t equals = record.find('=');
    const std::string_view key = record.substr(0, equals);
    if (equals == std::string_view::npos) return malformed_tar("the archive is damaged: a record of pax has no value");
    const std::string_view value = record.substr(equals + 1);
    if (key.starts_with("GNU.sparse.")) {
      return malformed_tar("the archive has a sparse file; write it without --sparse");
    }
    if (key != "path" && key != "size") return {};
    if (global) return malformed_tar("the archive gives all its members one name or size");
    if (key == "path") {
      if (value.size() > kLongestTarName) return malformed_tar("the archive has a name that is too long");
      said_.name = value;
      return {};
    }
    uint64_t size = 0;
    const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), size);
    if (failed != std::errc() || end != value.data() + value.size()) {
      return malformed_tar("a size in a header of pax is no number");
    }
    said_.size_bytes = size;
    return {};
  }

  // What it may be instead, by its first bytes.
  static std::string no_tar(const Block& block) {
    constexpr std::pair<std::string_view, std::string_view> kCompressed[] = {{"\x1f\x8b", "gunzip"},
                                                                             {"\x28\xb5\x2f\xfd", "unzstd"},
                                                                             {"\xfd"
                                                                              "7zXZ",
                                                                              "unxz"},
                                                                             {"BZh", "bunzip2"}};
    for (const auto& [magic, program] : kCompressed) {
      if (std::string_view(block.data(), kBlock).starts_with(magic)) {
        return "the archive is compressed; uncompress it first, with " + std::string(program);
      }
    }
    return "it is no tar archive";
  }

  const uint64_t size_bytes_;
  const ReadTar& read_;
  uint64_t at_ = 0;
  size_t members_ = 0;
  Said said_;
  TarIndex index_;
};

}  // namespace

Result<TarIndex> read_tar_index(uint64_t size_bytes, const ReadTar& read) {
  return Reader(size_bytes, read).read();
}

}  // namespace regfs
