// SPDX-License-Identifier: MIT
#include "registry/credentials.h"

#include "base/log.h"
#include "registry/base64.h"

namespace regfs::registry {

Result<std::optional<Credential>> FirstOf::find(const Repository& repository) {
  for (const std::shared_ptr<Credentials>& source : sources_) {
    Result<std::optional<Credential>> found = source->find(repository);
    if (!found || found->has_value()) return found;
  }
  return std::optional<Credential>();
}

void FirstOf::refused(const Repository& repository) {
  for (const std::shared_ptr<Credentials>& source : sources_) source->refused(repository);
}

void FirstOf::shutdown() {
  for (const std::shared_ptr<Credentials>& source : sources_) source->shutdown();
}

std::string identity_of(const std::optional<Credential>& credential) {
  if (!credential) return {};
  const std::string from = " from " + credential->source;
  if (!credential->registry_token.empty()) return "a token" + from;
  if (!credential->identity_token.empty()) return "an identity token" + from;
  return "user " + escape_controls(credential->username) + from;
}

Secret basic_authorization(const std::string& username, const Secret& password) {
  return Secret("Basic " + to_base64(username + ":" + password.reveal()));
}

}  // namespace regfs::registry
