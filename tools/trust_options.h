// SPDX-License-Identifier: MIT
// The options that say whom TLS trusts, for every program that asks registries.
#pragma once

#include <string>

#include "base/result.h"
#include "registry/tls_trust.h"

namespace regfs {

struct TrustOptions {
  std::string ca_cert = {};       // as given; empty: not given
  registry::TlsOptions tls = {};  // once settled
};

// Reads the file of --ca-cert, and from the environment $SSL_CERT_FILE, $SSL_CERT_DIR and where the user's certs.d is.
// Errc::invalid_argument with a sentence when a file that they name cannot be read or holds no certificate.
Result<void> settle_trust(TrustOptions& options);

}  // namespace regfs
