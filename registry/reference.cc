// SPDX-License-Identifier: MIT
#include "registry/reference.h"

#include <arpa/inet.h>

#include <algorithm>

#include "registry/text.h"

namespace regfs::registry {
namespace {

constexpr size_t kMaxHostBytes = 253;        // RFC 1035, as text
constexpr size_t kMaxLabelBytes = 63;        // RFC 1035
constexpr size_t kMaxTagBytes = 128;         // distribution specification
constexpr size_t kMaxRepositoryBytes = 255;  // host + "/" + name, as Docker's clients limit it
constexpr std::string_view kOfficial = "library";

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_alphanumeric(char c) {
  return is_lower(c) || is_upper(c) || is_digit(c);
}

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > kMaxLabelBytes) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  return std::all_of(label.begin(), label.end(), [](char c) { return is_alphanumeric(c) || c == '-'; });
}

bool is_host_name(std::string_view name) {
  if (name.size() > kMaxHostBytes) return false;
  while (true) {
    size_t dot = name.find('.');
    if (!is_label(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

bool is_port(std::string_view port) {
  if (port.empty() || port.size() > 5 || port.front() == '0') return false;
  int value = 0;
  for (char c : port) {
    if (!is_digit(c)) return false;
    value = value * 10 + (c - '0');
  }
  return value <= 65535;
}

bool is_ipv6(std::string_view address) {
  in6_addr parsed{};
  // An address with a NUL inside would be cut there by inet_pton.
  bool clean = address.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
  return clean && inet_pton(AF_INET6, std::string(address).c_str(), &parsed) == 1;
}

bool is_bracketed_host(std::string_view component) {
  size_t end = component.find(']');
  if (end == std::string_view::npos || !is_ipv6(component.substr(1, end - 1))) return false;
  std::string_view rest = component.substr(end + 1);
  return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
}

// Docker's test alone: what stands in the place of a host, well formed or not.
bool looks_like_host(std::string_view component) {
  return component.find_first_of(".:") != std::string_view::npos || equal_ignoring_case(component, "localhost");
}

Error invalid(std::string sentence) {
  return {Errc::invalid_argument, std::move(sentence)};
}

// What is wrong with a component that is none, in words.
Error bad_component(std::string_view component) {
  if (component.empty()) return invalid("a repository name has an empty component: two slashes, or one at an end");
  if (std::any_of(component.begin(), component.end(), is_upper)) {
    return invalid("a repository name is lower case, " + in_quotes(component) + " is not");
  }
  return invalid(in_quotes(component) +
                 " is no repository name: lower-case letters and digits, with '.', '_', '__' or '-' between them");
}

Result<void> check_name(std::string_view name) {
  while (true) {
    size_t slash = name.find('/');
    std::string_view component = name.substr(0, slash);
    if (!is_repository_component(component)) return bad_component(component);
    if (slash == std::string_view::npos) return {};
    name.remove_prefix(slash + 1);
  }
}

bool is_bare_hex_id(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<Repository> parse_repository(std::string_view text) {
  size_t slash = text.find('/');
  std::string_view first = text.substr(0, slash);
  if (slash == std::string_view::npos || !looks_like_host(first)) return make_repository(kDockerHub, text);
  return make_repository(first, text.substr(slash + 1));
}

// The tag is behind the last colon that follows the last slash; a colon before it is a port's.
size_t find_tag_colon(std::string_view text) {
  size_t colon = text.rfind(':');
  size_t slash = text.rfind('/');
  bool in_name = colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash);
  return in_name ? colon : std::string_view::npos;
}

Result<Digest> parse_target_digest(std::string_view text) {
  Result<Digest> digest = Digest::parse(text);
  if (!digest && digest.error().is(Errc::malformed)) return invalid(in_quotes(text) + ": " + digest.error().context());
  return digest;
}

}  // namespace

bool is_registry_host(std::string_view component) {
  if (!looks_like_host(component)) return false;
  if (component.front() == '[') return is_bracketed_host(component);
  size_t colon = component.rfind(':');
  if (colon != std::string_view::npos && !is_port(component.substr(colon + 1))) return false;
  return is_host_name(component.substr(0, colon));
}

std::string canonical_host(std::string_view host) {
  std::string lower = to_lower(host);
  if (lower == "index.docker.io" || lower == "registry-1.docker.io") return std::string(kDockerHub);
  return lower;
}

bool is_repository_component(std::string_view component) {
  bool after_word = false;
  for (size_t i = 0; i < component.size();) {
    if (is_lower(component[i]) || is_digit(component[i])) {
      after_word = true;
      ++i;
      continue;
    }
    size_t end = component.find_first_not_of(component[i], i);
    if (!after_word || end == std::string_view::npos) return false;
    size_t length = end - i;
    bool separator =
        component[i] == '-' || (component[i] == '_' && length <= 2) || (component[i] == '.' && length == 1);
    if (!separator) return false;
    after_word = false;
    i = end;
  }
  return after_word;
}

bool is_tag(std::string_view word) {
  if (word.empty() || word.size() > kMaxTagBytes || word.front() == '.' || word.front() == '-') return false;
  return std::all_of(word.begin(), word.end(),
                     [](char c) { return is_alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

std::string Repository::familiar() const {
  if (host != kDockerHub) return str();
  std::string_view path = name;
  std::string official = std::string(kOfficial) + "/";
  if (path.starts_with(official) && path.find('/', official.size()) == std::string_view::npos) {
    return std::string(path.substr(official.size()));
  }
  // "docker.io/example.com/x" without its host would be read as a repository of example.com.
  return looks_like_host(path.substr(0, path.find('/'))) ? str() : name;
}

Result<Repository> make_repository(std::string_view host, std::string_view name) {
  if (!is_registry_host(host)) return invalid(in_quotes(host) + " is no registry: it must be HOST or HOST:PORT");
  if (Result<void> checked = check_name(name); !checked) return checked.error();
  Repository repository{canonical_host(host), std::string(name)};
  if (repository.host == kDockerHub && name.find('/') == std::string_view::npos) {
    repository.name = std::string(kOfficial) + "/" + repository.name;
  }
  if (repository.str().size() > kMaxRepositoryBytes) {
    return invalid("the repository " + in_quotes(repository.str()) + " is longer than " +
                   std::to_string(kMaxRepositoryBytes) + " bytes");
  }
  return repository;
}

std::string Reference::target_str() const {
  const std::string* tag = std::get_if<std::string>(&target);
  return tag != nullptr ? *tag : std::get<Digest>(target).str();
}

std::string Reference::str() const {
  return repository.str() + (by_digest() ? "@" : ":") + target_str();
}

std::string Reference::familiar() const {
  return repository.familiar() + (by_digest() ? "@" : ":") + target_str();
}

Result<Reference> parse_reference(std::string_view text) {
  if (text.empty()) return invalid("the image name is empty");
  if (size_t scheme = text.find("://"); scheme != std::string_view::npos) {
    return invalid("an image name has no scheme: leave " + in_quotes(text.substr(0, scheme + 3)) + " out");
  }
  size_t at = text.find('@');
  std::string_view named = text.substr(0, at);
  size_t colon = find_tag_colon(named);
  std::string_view name = named.substr(0, colon);
  if (is_bare_hex_id(name)) return invalid(in_quotes(name) + " is an image id, not the name of a repository");

  Result<Repository> repository = parse_repository(name);
  if (!repository) return repository.error();
  std::string tag = "latest";
  if (colon != std::string_view::npos) tag = named.substr(colon + 1);
  if (!is_tag(tag)) {
    return invalid(in_quotes(tag) + " is no tag: letters, digits, '_', '.' and '-', at most " +
                   std::to_string(kMaxTagBytes) + ", the first a letter, a digit or '_'");
  }
  if (at == std::string_view::npos) return Reference{std::move(*repository), std::move(tag)};
  Result<Digest> digest = parse_target_digest(text.substr(at + 1));
  if (!digest) return digest.error();
  return Reference{std::move(*repository), *digest};
}

}  // namespace regfs::registry
