// SPDX-License-Identifier: MIT
#include "registry/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <vector>

#include "registry/text.h"

namespace regfs::registry {
namespace {

bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool all_of(std::string_view text, bool (*good)(char)) {
  return std::all_of(text.begin(), text.end(), good);
}

bool is_url_character(char c) {
  auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != 0x7f && c != '\\';
}

uint16_t default_port(std::string_view scheme) {
  return scheme == "https" ? 443 : 80;
}

std::optional<uint16_t> parse_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || !all_of(text, is_digit)) return std::nullopt;
  int port = std::stoi(std::string(text));
  if (port < 1 || port > 65535) return std::nullopt;
  return static_cast<uint16_t>(port);
}

struct HostAndPort {
  std::string_view host;  // with brackets
  std::string_view port;  // empty: none
  bool has_port = false;
};

std::optional<HostAndPort> split_authority(std::string_view authority) {
  HostAndPort out;
  size_t end = authority.find(':');
  if (authority.starts_with('[')) {
    size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) return std::nullopt;
    end = bracket + 1 < authority.size() ? bracket + 1 : std::string_view::npos;
    if (end != std::string_view::npos && authority[end] != ':') return std::nullopt;
  }
  out.host = authority.substr(0, end);
  out.has_port = end != std::string_view::npos;
  if (out.has_port) out.port = authority.substr(end + 1);
  return out;
}

bool is_plain_host(std::string_view host) {
  if (host.starts_with('[')) {
    return host.size() > 4 && host.ends_with(']') &&
           all_of(host.substr(1, host.size() - 2), [](char c) { return is_hex(c) || c == ':' || c == '.'; });
  }
  return !host.empty() &&
         all_of(host, [](char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_'; });
}

// The parts of an absolute URL, as views into it.
struct Parts {
  std::string_view scheme;
  std::string_view authority;
  std::string_view path;   // from its '/', may be empty
  std::string_view query;  // with its '?', may be empty
};

std::optional<Parts> split_url(std::string_view url) {
  size_t colon = url.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  Parts parts;
  parts.scheme = url.substr(0, colon);
  std::string_view rest = url.substr(colon + 3);
  rest = rest.substr(0, rest.find('#'));
  size_t query = rest.find('?');
  if (query != std::string_view::npos) {
    parts.query = rest.substr(query);
    rest = rest.substr(0, query);
  }
  size_t slash = rest.find('/');
  parts.authority = rest.substr(0, slash);
  if (slash != std::string_view::npos) parts.path = rest.substr(slash);
  return parts;
}

// RFC 3986, section 5.2.4, for a path that begins with '/'.
std::string without_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  bool ends_with_slash = false;
  for (size_t at = 1; at <= path.size();) {
    size_t slash = std::min(path.find('/', at), path.size());
    std::string_view segment = path.substr(at, slash - at);
    bool dots = segment == "." || segment == "..";
    if (segment == ".." && !kept.empty()) kept.pop_back();
    if (!dots) kept.push_back(segment);
    ends_with_slash = dots;
    at = slash + 1;
  }
  std::string out;
  for (std::string_view segment : kept) {
    out += '/';
    out += segment;
  }
  if (ends_with_slash || out.empty()) out += '/';
  return out;
}

bool has_scheme(std::string_view reference) {
  size_t colon = reference.find(':');
  if (colon == std::string_view::npos || colon == 0 || !is_alpha(reference[0])) return false;
  return all_of(reference.substr(0, colon),
                [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; });
}

std::string path_beside(const Parts& base, std::string_view path) {
  if (path.starts_with('/')) return without_dot_segments(path);
  size_t slash = base.path.rfind('/');
  std::string directory(slash == std::string_view::npos ? "/" : base.path.substr(0, slash + 1));
  return without_dot_segments(directory + std::string(path));
}

}  // namespace

std::string Origin::authority() const {
  return port == default_port(scheme) ? host : host + ":" + std::to_string(port);
}

std::string Origin::str() const {
  return scheme + "://" + authority();
}

std::optional<Origin> origin_of(std::string_view url) {
  if (!all_of(url, is_url_character)) return std::nullopt;
  std::optional<Parts> parts = split_url(url);
  if (!parts) return std::nullopt;
  Origin origin;
  origin.scheme = lower(parts->scheme);
  if (origin.scheme != "http" && origin.scheme != "https") return std::nullopt;
  std::optional<HostAndPort> split = split_authority(parts->authority);
  if (!split || !is_plain_host(split->host)) return std::nullopt;
  origin.host = lower(split->host);
  origin.port = default_port(origin.scheme);
  if (split->has_port) {
    std::optional<uint16_t> port = parse_port(split->port);
    if (!port) return std::nullopt;
    origin.port = *port;
  }
  return origin;
}

std::optional<std::string> resolve_url(std::string_view base, std::string_view reference) {
  std::optional<Parts> parts = split_url(base);
  if (!parts || !origin_of(base) || reference.empty()) return std::nullopt;
  reference = reference.substr(0, reference.find('#'));
  std::string url;
  if (has_scheme(reference)) {
    url = reference;
  } else if (reference.starts_with("//")) {
    url = std::string(parts->scheme) + ":" + std::string(reference);
  } else {
    size_t mark = reference.find('?');
    std::string_view path = reference.substr(0, mark);
    std::string_view query = mark == std::string_view::npos ? std::string_view() : reference.substr(mark);
    url = std::string(parts->scheme) + "://" + std::string(parts->authority);
    url += path.empty() ? std::string(parts->path) : path_beside(*parts, path);
    url += path.empty() && query.empty() ? parts->query : query;
  }
  if (!origin_of(url)) return std::nullopt;
  return url;
}

std::string redacted(std::string_view url) {
  std::optional<Parts> parts = split_url(url);
  if (!parts) return "(no URL)";
  std::string_view authority = parts->authority.substr(parts->authority.rfind('@') + 1);
  return std::string(parts->scheme) + "://" + std::string(authority) + std::string(parts->path);
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

bool is_loopback_host(std::string_view host) {
  std::string name = lower(host);
  if (name.starts_with('[')) {
    name = name.substr(1, name.find(']') - 1);
  } else if (std::count(name.begin(), name.end(), ':') == 1) {
    name = name.substr(0, name.find(':'));
  }
  if (name == "localhost" || name.ends_with(".localhost")) return true;
  in_addr v4{};
  if (inet_pton(AF_INET, name.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, name.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace regfs::registry
