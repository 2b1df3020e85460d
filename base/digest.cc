// SPDX-License-Identifier: MIT
#include "base/digest.h"

#include <cstring>

namespace regfs {
namespace {

constexpr std::string_view kPrefix = "sha256:";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool is_algorithm(std::string_view word) {
  if (word.empty() || word.size() > 32) return false;
  for (char c : word) {
    bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '.' || c == '_' || c == '-';
    if (!good) return false;
  }
  return true;
}

}  // namespace

Result<Digest> Digest::parse(std::string_view text) {
  if (!text.starts_with(kPrefix)) {
    size_t colon = text.find(':');
    if (colon != std::string_view::npos && is_algorithm(text.substr(0, colon))) {
      return Error{Errc::unsupported,
                   "digest algorithm '" + std::string(text.substr(0, colon)) + "' is not supported, only sha256 is"};
    }
    return Error{Errc::malformed, "not a digest: it must be 'sha256:' and 64 hex digits"};
  }
  std::string_view hex = text.substr(kPrefix.size());
  Bytes bytes{};
  if (hex.size() != 2 * kBytes) {
    return Error{Errc::malformed,
                 "a sha256 digest has 64 hex digits, this one has " + std::to_string(hex.size()) + " characters"};
  }
  for (size_t i = 0; i < kBytes; ++i) {
    int high = hex_value(hex[2 * i]);
    int low = hex_value(hex[2 * i + 1]);
    if (high < 0 || low < 0) return Error{Errc::malformed, "a sha256 digest is 64 lower-case hex digits"};
    bytes[i] = static_cast<uint8_t>(high * 16 + low);
  }
  return Digest(bytes);
}

std::string Digest::hex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * kBytes);
  for (uint8_t byte : bytes_) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

std::string Digest::str() const {
  return std::string(kPrefix) + hex();
}

}  // namespace regfs

size_t std::hash<regfs::Digest>::operator()(const regfs::Digest& digest) const noexcept {
  size_t value = 0;
  std::memcpy(&value, digest.bytes().data(), sizeof value);
  return value;
}
