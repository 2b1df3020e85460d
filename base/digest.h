// SPDX-License-Identifier: MIT
// "sha256:<64 lower-case hex>", parsed once, compared as bytes, printed back.
//
// Only SHA-256 is accepted: what cannot be verified is not served (an unknown algorithm is
// Errc::unsupported, anything that is no digest at all Errc::malformed). A Digest that exists is safe
// to use in a URL and as a file name.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace regfs {

class Digest {
 public:
  static constexpr size_t kBytes = 32;
  using Bytes = std::array<uint8_t, kBytes>;

  explicit Digest(const Bytes& bytes) : bytes_(bytes) {}
  static Result<Digest> parse(std::string_view text);

  const Bytes& bytes() const { return bytes_; }
  std::string hex() const;  // 64 lower-case digits
  std::string str() const;  // "sha256:" + hex()

  friend auto operator<=>(const Digest&, const Digest&) = default;

 private:
  Bytes bytes_;
};

}  // namespace regfs

template <>
struct std::hash<regfs::Digest> {
  size_t operator()(const regfs::Digest& digest) const noexcept;
};
