// SPDX-License-Identifier: MIT
// Names of things in registries, parsed once into types; inside, nobody cuts strings.
//
// The grammar is Docker's (distribution/reference): a host is the first component when it contains
// '.' or ':' or is "localhost"; otherwise the registry is docker.io, where one component alone means
// library/NAME. Pure; every function may be called on any thread.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/digest.h"
#include "base/result.h"

namespace regfs::registry {

inline constexpr std::string_view kDockerHub = "docker.io";

// Whether a path component names a registry by Docker's rule, and is well formed as HOST or HOST:PORT
// (letters, digits, '-', '.', a port of 1–65535, or a bracketed IPv6 literal). Says nothing of existence. A component
// with user info, control characters, white space, '/', '%', a leading '-' or '.' is none.
bool is_registry_host(std::string_view component);

// "index.docker.io" and "registry-1.docker.io" are docker.io; letters are lower-cased.
std::string canonical_host(std::string_view host);

// One path component of a repository: [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
bool is_repository_component(std::string_view component);

// [A-Za-z0-9_][A-Za-z0-9._-]{0,127}
bool is_tag(std::string_view word);

// A repository of a registry: host "docker.io" (canonical), name "library/nginx".
struct Repository {
  std::string host;
  std::string name;

  std::string str() const { return host + "/" + name; }  // "docker.io/library/nginx"
  std::string familiar() const;                          // as Docker prints it: "nginx", "acme/api", "ghcr.io/acme/api"
  friend auto operator<=>(const Repository&, const Repository&) = default;
};

// In place of a repository's name: the list of a registry's repositories. No repository is called so.
inline constexpr std::string_view kCatalogName = "_catalog";

// From a host and the components below it ("nginx" alone on docker.io gains "library/").
// host + "/" + name is at most 255 bytes, as clients limit it.
Result<Repository> make_repository(std::string_view host, std::string_view name);

// What is asked of a repository: by tag, or by digest.
struct Reference {
  Repository repository;
  std::variant<std::string, Digest> target;  // tag or digest

  bool by_digest() const { return target.index() == 1; }
  std::string target_str() const;  // "latest" or "sha256:…"
  std::string str() const;         // "docker.io/library/nginx:latest", "…/nginx@sha256:…"
  std::string familiar() const;    // "nginx:latest"
  friend auto operator<=>(const Reference&, const Reference&) = default;
};

// A whole reference as people type it: [HOST/]NAME[:TAG|@DIGEST]; the tag defaults to "latest"; with
// both a tag and a digest the digest wins. Errors say what is wrong with the text.
Result<Reference> parse_reference(std::string_view text);

}  // namespace regfs::registry
