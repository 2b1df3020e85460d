// SPDX-License-Identifier: MIT
// A file of credentials as `docker login` and `podman login` write it: Docker's config.json, containers' auth.json, the
// text of $DOCKER_AUTH_CONFIG, and the old ~/.dockercfg.
//
//   {"auths": {"ghcr.io": {"auth": "base64 of user:password"}, "ghcr.io/acme": {…}},
//    "credHelpers": {"gcr.io": "gcr"}, "credsStore": "secretservice"}
//
// For a registry a helper of its own is asked, else the store, else "auths" from the most to the least specific key
// (HOST/acme/api, HOST/acme, HOST, then URLs of the host). Docker Hub is known by all its names. Pure: reads no file,
// runs nothing. Errors and problems name the file and the key, and show nothing else of the text. Any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "registry/credentials.h"
#include "registry/reference.h"

namespace regfs::registry {

// The file is written by tools and read whole.
inline constexpr size_t kMaxCredentialFileBytes = 4u << 20;

// Who to ask instead of the file.
struct HelperCall {
  std::string name;                  // of docker-credential-NAME
  std::vector<std::string> servers;  // how the registry may be known to it: the first that it knows holds
};

class CredentialFile {
 public:
  enum class Layout { current, flat };  // flat: all members are entries, as in ~/.dockercfg

  // `name` is how sentences call it. Errc::malformed when it is no JSON object; what is wrong inside is a problem.
  static Result<CredentialFile> parse(std::string_view text, const std::string& name, Layout layout = Layout::current);

  std::optional<HelperCall> helper_for(const Repository& repository) const;
  std::optional<Credential> entry_for(const Repository& repository) const;

  const std::string& name() const { return name_; }
  // One sentence for each entry that was left out because it cannot be understood.
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  struct Entry {
    std::string key;   // as written
    std::string host;  // canonical, when the key is a URL or names a host alone; else empty
    Credential credential;
  };

  std::string name_;
  std::vector<Entry> entries_;
  std::map<std::string, std::string> helpers_;  // by key, as written
  std::string store_;
  std::vector<std::string> problems_;

  friend class CredentialFileReader;
};

}  // namespace regfs::registry
