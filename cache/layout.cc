// SPDX-License-Identifier: MIT
#include "cache/layout.h"

#include <charconv>

#include "base/sha256.h"

namespace regfs::cache {
namespace {

constexpr std::string_view kMarker = "regfs cache format ";
constexpr std::string_view kHexDigits = "0123456789ABCDEF";
constexpr size_t kDigestDigits = 2 * Digest::kBytes;

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

}  // namespace

std::string Layout::part(const Digest& digest, uint64_t size_bytes) const {
  return parts_directory() + "/" + digest.hex() + "-" + std::to_string(size_bytes);
}

std::string Layout::spare_part(const Digest& digest, uint64_t size_bytes, int process, uint64_t number) const {
  return part(digest, size_bytes) + "." + std::to_string(process) + "." + std::to_string(number);
}

std::string Layout::repository(std::string_view name) const {
  return refs_directory() + "/" + safe_name(name);
}

std::optional<PartName> parse_part_name(std::string_view file_name) {
  if (file_name.size() < kDigestDigits + 2 || file_name[kDigestDigits] != '-') return std::nullopt;
  Result<Digest> digest = Digest::parse("sha256:" + std::string(file_name.substr(0, kDigestDigits)));
  if (!digest) return std::nullopt;

  std::string_view rest = file_name.substr(kDigestDigits + 1);
  size_t dot = rest.find('.');
  std::optional<uint64_t> size_bytes = parse_number<uint64_t>(rest.substr(0, dot));
  if (!size_bytes) return std::nullopt;
  PartName::Kind kind = PartName::Kind::part;
  if (dot != std::string_view::npos) {
    kind = rest.substr(dot) == ".ranges" ? PartName::Kind::ranges : PartName::Kind::spare;
  }
  return PartName{*digest, *size_bytes, kind};
}

std::string marker_text(int format) {
  return std::string(kMarker) + std::to_string(format) + "\n";
}

std::optional<int> parse_marker(std::string_view text) {
  if (!text.starts_with(kMarker) || !text.ends_with('\n')) return std::nullopt;
  return parse_number<int>(text.substr(kMarker.size(), text.size() - kMarker.size() - 1));
}

std::string safe_name(std::string_view text) {
  std::string name;
  for (char c : text) {
    if (is_plain(c) && !(c == '.' && name.empty())) {
      name.push_back(c);
    } else {
      auto byte = static_cast<unsigned char>(c);
      name += {'%', kHexDigits[byte >> 4], kHexDigits[byte & 15]};
    }
  }
  if (name.empty() || name.size() > kLongestSafeName) return "%%" + sha256_of(text).hex();
  return name;
}

std::optional<std::string> parse_safe_name(std::string_view name) {
  std::string text;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '%') {
      text.push_back(name[i]);
      continue;
    }
    if (i + 2 >= name.size()) return std::nullopt;
    size_t high = kHexDigits.find(name[i + 1]);
    size_t low = kHexDigits.find(name[i + 2]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    text.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  if (safe_name(text) != name) return std::nullopt;
  return text;
}

}  // namespace regfs::cache
