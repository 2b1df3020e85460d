// SPDX-License-Identifier: MIT
#include "tools/trust_options.h"

#include <filesystem>

#include "tools/option_value.h"

namespace regfs {
namespace {

// The daemon leaves the working directory.
std::string absolute(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

}  // namespace

Result<void> settle_trust(TrustOptions& options) {
  registry::TlsOptions tls;
  if (!options.ca_cert.empty()) {
    Result<std::string> pem = registry::read_certificates(options.ca_cert);
    if (!pem) return Error(Errc::invalid_argument, "--ca-cert: " + pem.error().context());
    tls.extra_ca_pem = *std::move(pem);
  }
  if (const std::string file = environment_variable("SSL_CERT_FILE"); !file.empty()) {
    tls.ca_file = absolute(file);
    Result<std::string> pem = registry::read_certificates(tls.ca_file);
    if (!pem) return Error(Errc::invalid_argument, "SSL_CERT_FILE: " + pem.error().context());
  }
  if (const std::string directories = environment_variable("SSL_CERT_DIR"); !directories.empty())
    tls.ca_directory = directories;
  const std::string configuration = environment_variable("XDG_CONFIG_HOME");
  const std::string home = environment_variable("HOME");
  if (configuration.starts_with('/')) {
    tls.directories.push_back(configuration + "/containers/certs.d");
  } else if (!home.empty()) {
    tls.directories.push_back(home + "/.config/containers/certs.d");
  }
  tls.directories.insert(tls.directories.end(), {"/etc/containers/certs.d", "/etc/docker/certs.d"});
  options.tls = std::move(tls);
  return {};
}

}  // namespace regfs
