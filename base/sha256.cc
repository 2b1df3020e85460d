// SPDX-License-Identifier: MIT
#include "base/sha256.h"

#include <openssl/evp.h>

namespace regfs {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  REGFS_CHECK(state_->context != nullptr && EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) == 1,
              "OpenSSL has no SHA-256");
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) {
  REGFS_CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1, "SHA-256 update failed");
}

void Sha256::update(std::string_view text) {
  update(std::as_bytes(std::span(text.data(), text.size())));
}

Digest Sha256::finish() {
  Digest::Bytes bytes{};
  REGFS_CHECK(EVP_DigestFinal_ex(state_->context, bytes.data(), nullptr) == 1, "SHA-256 final failed");
  return Digest(bytes);
}

Digest sha256_of(std::string_view text) {
  Sha256 hasher;
  hasher.update(text);
  return hasher.finish();
}

}  // namespace regfs
