// SPDX-License-Identifier: MIT
#include "registry/credentials.h"

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

Secret basic_authorization(const std::string& username, const Secret& password) {
  return Secret("Basic " + to_base64(username + ":" + password.reveal()));
}

}  // namespace regfs::registry
