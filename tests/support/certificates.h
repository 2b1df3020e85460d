// SPDX-License-Identifier: MIT
// X.509 for tests: an authority of the moment and what it signs, as PEM. Nothing outside a test trusts it.
#pragma once

#include <chrono>
#include <memory>
#include <string>

namespace regfs::test {

// A certificate with its chain of one, and the key that goes with it.
struct ServerIdentity {
  std::string certificate_pem;
  std::string key_pem;
};

struct IdentityRecipe {
  std::string subject_name = "IP:127.0.0.1";  // as OpenSSL writes a subjectAltName
  // From now.
  std::chrono::hours valid_from{-24};
  std::chrono::hours valid_until{24};
};

class TestAuthority {
 public:
  TestAuthority();
  ~TestAuthority();

  std::string certificate_pem() const;
  ServerIdentity issue(const IdentityRecipe& recipe = {}) const;

 private:
  struct Keys;
  const std::unique_ptr<Keys> keys_;
};

}  // namespace regfs::test
