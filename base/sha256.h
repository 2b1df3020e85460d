// SPDX-License-Identifier: MIT
// Incremental SHA-256 over OpenSSL's EVP (which uses the CPU's SHA instructions where it has them).
// One thread at a time.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "base/digest.h"

namespace regfs {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  // Ends the computation; a new one needs a new object.
  Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Digest sha256_of(std::string_view text);

}  // namespace regfs
