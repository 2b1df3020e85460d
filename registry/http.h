// SPDX-License-Identifier: MIT
// One HTTP request and the head of its answer, as plain data.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace regfs::registry {

struct TlsSettings;

// Header fields in the order they stand; names compare without case; a name may repeat.
class Headers {
 public:
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  std::optional<std::string> first(std::string_view name) const;
  std::vector<std::string> all(std::string_view name) const;
  void remove(std::string_view name);
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct HttpRequest {
  std::string method = "GET";  // "GET", "HEAD", "POST"
  std::string url;             // http or https only; a redirect is never followed by the transport
  Headers headers;
  std::string body;  // of a POST
  bool verify_tls = true;
  std::shared_ptr<const TlsSettings> tls;  // null: the system's authorities, and no certificate of our own
  bool show_certificate = false;           // the client certificate of `tls`, if it has one
  bool decode_content = false;             // gzip-encoded JSON may be decoded; a blob never is
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds stall_timeout{30'000};  // first byte, and below 1 KiB/s for so long
};

struct HttpHead {
  int status = 0;
  Headers headers;
};

}  // namespace regfs::registry
