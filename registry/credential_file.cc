// SPDX-License-Identifier: MIT
#include "registry/credential_file.h"

#include <algorithm>

#include "registry/base64.h"
#include "registry/json_parse.h"
#include "registry/text.h"

namespace regfs::registry {
namespace {

// The key under which Docker files what belongs to Docker Hub.
constexpr std::string_view kHubKey = "https://index.docker.io/v1/";

bool is_helper_name(std::string_view name) {
  return !name.empty() && name.front() != '-' && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

// The host that a key means as a whole: "ghcr.io", "https://index.docker.io/v1/". Empty: "ghcr.io/acme" is no host.
std::string host_of_key(std::string_view key) {
  const std::string lower = to_lower(key);
  std::string_view rest = lower;
  bool url = false;
  for (std::string_view scheme : {"https://", "http://"}) {
    if (!rest.starts_with(scheme)) continue;
    rest.remove_prefix(scheme.size());
    url = true;
    break;
  }
  const size_t slash = rest.find('/');
  const std::string_view path = slash == std::string_view::npos ? "" : rest.substr(slash);
  const bool whole =
      url || path.empty() || path == "/" || path == "/v1" || path == "/v1/" || path == "/v2" || path == "/v2/";
  return whole ? canonical_host(rest.substr(0, slash)) : std::string();
}

// "ghcr.io/acme/api", "ghcr.io/acme", "ghcr.io".
std::vector<std::string> keys_of(const Repository& repository) {
  std::vector<std::string> keys;
  std::string key = repository.name.empty() ? repository.host : repository.str();
  while (true) {
    keys.push_back(key);
    const size_t slash = key.rfind('/');
    if (slash == std::string::npos) return keys;
    key.resize(slash);
  }
}

std::string text_of(const Json& entry, std::string_view member) {
  const Json* value = entry.find(member);
  const std::string* text = value != nullptr ? value->string() : nullptr;
  return text != nullptr ? *text : std::string();
}

}  // namespace

class CredentialFileReader {
 public:
  explicit CredentialFileReader(const std::string& name) { file_.name_ = name; }

  Result<CredentialFile> read(const Json& document, CredentialFile::Layout layout) {
    if (document.object() == nullptr) {
      return Error{Errc::malformed, file_.name_ + " is " + document.kind() + ", not a JSON object"};
    }
    if (layout == CredentialFile::Layout::flat) {
      read_entries(document);
      return std::move(file_);
    }
    if (const Json* auths = member(document, "auths")) read_entries(*auths);
    if (const Json* helpers = member(document, "credHelpers")) read_helpers(*helpers);
    if (const Json* store = document.find("credsStore")) {
      const std::string* name = store->string();
      if (name == nullptr || !(name->empty() || is_helper_name(*name))) {
        problem("credsStore", "is not the name of a helper");
      } else {
        file_.store_ = *name;
      }
    }
    return std::move(file_);
  }

 private:
  void problem(const std::string& where, const std::string& what) {
    file_.problems_.push_back(file_.name_ + ": " + where + " " + what + "; it is left out");
  }

  const Json* member(const Json& document, const char* name) {
    const Json* value = document.find(name);
    if (value == nullptr || value->object() != nullptr) return value;
    problem(name, std::string("is ") + value->kind() + ", not an object");
    return nullptr;
  }

  void read_entries(const Json& auths) {
    for (const Json::Member& member : *auths.object()) {
      const std::string where = "the entry of " + in_quotes(member.key);
      if (member.value.object() == nullptr) {
        problem(where, std::string("is ") + member.value.kind() + ", not an object");
        continue;
      }
      Result<std::optional<Credential>> credential = read_entry(member.value);
      if (!credential) {
        problem(where, credential.error().context());
      } else if (*credential) {
        (*credential)->source = file_.name_ + ", entry " + in_quotes(member.key);
        file_.entries_.push_back({member.key, host_of_key(member.key), **std::move(credential)});
      }
    }
  }

  // nullopt: an empty entry, as helpers leave it.
  static Result<std::optional<Credential>> read_entry(const Json& entry) {
    Credential credential;
    credential.username = text_of(entry, "username");
    credential.password = Secret(text_of(entry, "password"));
    credential.identity_token = Secret(text_of(entry, "identitytoken"));
    credential.registry_token = Secret(text_of(entry, "registrytoken"));
    const std::string auth = text_of(entry, "auth");
    if (entry.find("auth") != nullptr && auth.empty() && entry.find("auth")->string() == nullptr) {
      return Error{Errc::malformed, "has an 'auth' that is no string"};
    }
    if (!auth.empty()) {
      std::optional<std::string> pair = from_base64(auth);
      if (!pair) return Error{Errc::malformed, "has an 'auth' that is not base64"};
      while (pair->ends_with('\0')) pair->pop_back();
      const size_t colon = pair->find(':');
      if (colon == std::string::npos || colon == 0) {
        return Error{Errc::malformed, "has an 'auth' that is not base64 of USER:PASSWORD"};
      }
      credential.username = pair->substr(0, colon);
      credential.password = Secret(pair->substr(colon + 1));
    }
    const bool usable =
        credential.has_password() || !credential.identity_token.empty() || !credential.registry_token.empty();
    if (usable) return std::optional<Credential>(std::move(credential));
    if (!credential.username.empty()) return Error{Errc::malformed, "has a user without a password"};
    return std::optional<Credential>();
  }

  void read_helpers(const Json& helpers) {
    for (const Json::Member& member : *helpers.object()) {
      const std::string* name = member.value.string();
      if (name == nullptr || !is_helper_name(*name)) {
        problem("credHelpers of " + in_quotes(member.key), "is not the name of a helper");
      } else {
        file_.helpers_.emplace(member.key, *name);
      }
    }
  }

  CredentialFile file_;
};

Result<CredentialFile> CredentialFile::parse(std::string_view text, const std::string& name, Layout layout) {
  Result<Json> document = parse_json(text);
  if (!document) return document.error().while_doing(name);
  return CredentialFileReader(name).read(*document, layout);
}

std::optional<HelperCall> CredentialFile::helper_for(const Repository& repository) const {
  HelperCall call;
  const bool hub = repository.host == kDockerHub;
  if (hub) call.servers.emplace_back(kHubKey);
  call.servers.push_back(repository.host);
  auto own = std::find_if(helpers_.begin(), helpers_.end(),
                          [&](const auto& helper) { return host_of_key(helper.first) == repository.host; });
  call.name = own != helpers_.end() ? own->second : store_;
  if (call.name.empty()) return std::nullopt;
  return call;
}

std::optional<Credential> CredentialFile::entry_for(const Repository& repository) const {
  for (const std::string& key : keys_of(repository)) {
    for (const Entry& entry : entries_) {
      if (entry.key == key) return entry.credential;
    }
  }
  for (const Entry& entry : entries_) {
    if (entry.host == repository.host) return entry.credential;
  }
  return std::nullopt;
}

}  // namespace regfs::registry
