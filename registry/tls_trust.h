// SPDX-License-Identifier: MIT
// Whom a TLS connection trusts, and with which certificate it shows who it is, by host.
//
//   certs.d/HOST[:PORT]/*.crt          authorities, besides those of the system
//   certs.d/HOST[:PORT]/X.cert, X.key  the certificate to show, and its key
//
// The first directory that exists for a host holds; directories are not merged. Each is read when a connection may be
// made to its host and what was read is older than kTrustKept, so a new file needs no new mount. Never disables
// verification. Owned by Endpoints; safe to use from any thread.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "registry/url.h"

namespace regfs::registry {

inline constexpr std::chrono::seconds kTrustKept{10};

struct TlsOptions {
  std::vector<std::string> directories;  // "/etc/docker/certs.d", the first that has a host goes first
  std::string ca_file;                   // instead of the system's bundle; empty: that
  std::string ca_directory;              // instead of the system's hashed directory; empty: that
  std::string extra_ca_pem;              // trusted besides, by every host
};

// Of one host.
struct TlsSettings {
  std::string ca_file;             // as in TlsOptions
  std::string ca_directory;        // as in TlsOptions
  std::string ca_pem;              // instead of ca_file: what it holds and what is trusted besides; empty: ca_file
  std::string client_certificate;  // a path; empty: none
  std::string client_key;          // a path
  std::string directory;           // of this host; empty: it has none
  bool own_ca = false;             // the directory names an authority
  std::string problem;             // why the directory cannot be used; empty: it can
};

// The text of a PEM file with at least one certificate in it. Errors are sentences that name the path.
Result<std::string> read_certificates(const std::string& path);

class TlsTrust {
 public:
  explicit TlsTrust(TlsOptions options);

  std::shared_ptr<const TlsSettings> of(const Origin& origin);

 private:
  struct Read {
    std::shared_ptr<const TlsSettings> settings;
    Monotonic::time_point at;
  };
  TlsSettings read(const Origin& origin) const;

  const TlsOptions options_;
  Mutex mutex_;
  std::map<std::string, Read> read_ REGFS_GUARDED_BY(mutex_);  // by host and port
};

}  // namespace regfs::registry
