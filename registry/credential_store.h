// SPDX-License-Identifier: MIT
// The credentials that `docker login` and `podman login` have left on this machine: files, and the helpers they name.
//
// Files are read when first needed, and again when they change or a registry refused what they held. What a helper
// said is kept until a registry refuses it, for an hour at most; a failure and an ignorance for less. One helper runs
// for one registry at a time, however many ask. The log tells at debug which file, helper and key were used, and at
// warning what of a file cannot be understood; neither shows a secret. Owned with the Client; safe to use from any
// thread that may wait.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "registry/credential_file.h"
#include "registry/credential_helper.h"
#include "registry/credentials.h"

namespace regfs::registry {

// What decides where credentials are looked for. Empty: the variable is not set.
struct CredentialEnvironment {
  std::string authfile;            // of the option; absolute
  std::string registry_auth_file;  // $REGISTRY_AUTH_FILE
  Secret docker_auth_config;       // $DOCKER_AUTH_CONFIG, a document itself
  std::string docker_config;       // $DOCKER_CONFIG, a directory
  std::string home;
  std::string xdg_runtime_dir;
  std::string xdg_config_home;
  std::string path;
  uid_t user = 0;
};

struct CredentialPlace {
  std::string path;  // empty: `text` is the document
  std::string name;  // for sentences
  Secret text = {};
  CredentialFile::Layout layout = CredentialFile::Layout::current;
};

// In the order they are asked. An authfile, or else $REGISTRY_AUTH_FILE, is asked alone. Pure.
std::vector<CredentialPlace> credential_places(const CredentialEnvironment& environment);

inline constexpr std::chrono::hours kHelperAnswerKept{1};
inline constexpr std::chrono::seconds kHelperIgnoranceKept{60};
// A helper is not asked again sooner, whatever a registry refuses.
inline constexpr std::chrono::seconds kHelperPause{5};

class StoredCredentials : public Credentials {
 public:
  StoredCredentials(std::vector<CredentialPlace> places, std::unique_ptr<HelperRunner> helpers, const Clock& clock,
                    Log& log);
  ~StoredCredentials() override;

  // Of a file that the user named: whether it can be read and understood, as a sentence.
  static Result<void> check(const CredentialPlace& place);

  Result<std::optional<Credential>> find(const Repository& repository) override;
  void refused(const Repository& repository) override;
  void shutdown() override;

 private:
  struct Loaded;  // a file as last read
  struct Asked;   // what a helper said, or is about to say
  using Found = Result<std::optional<Credential>>;
  using HelperKey = std::pair<std::string, std::string>;  // name, server

  std::shared_ptr<const CredentialFile> load(size_t place);
  Found find_in(const CredentialFile& file, const Repository& repository);
  Found ask(const HelperKey& key);
  Found ask_now(const HelperKey& key);
  void tell(const Repository& repository, const std::optional<Credential>& credential);

  const std::vector<CredentialPlace> places_;
  const std::unique_ptr<HelperRunner> helpers_;
  const Clock& clock_;
  Log& log_;
  Mutex mutex_;
  CondVar answered_;
  std::vector<Loaded> loaded_ REGFS_GUARDED_BY(mutex_);
  std::map<HelperKey, Asked> asked_ REGFS_GUARDED_BY(mutex_);
  std::map<std::string, std::string> told_ REGFS_GUARDED_BY(mutex_);  // by host: the source in the log
};

}  // namespace regfs::registry
