// SPDX-License-Identifier: MIT
#include "tests/support/fake_registry.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"

namespace regfs::test {

std::string basic_header(const FakeLogin& login) {
  static constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::string pair = login.username + ":" + login.password;
  std::string text = "Basic ";
  unsigned value = 0;
  int bits = 0;
  for (const char letter : pair) {
    value = value << 8 | static_cast<unsigned char>(letter);
    for (bits += 8; bits >= 6; bits -= 6) text += kLetters[value >> (bits - 6) & 63];
  }
  if (bits > 0) text += kLetters[value << (6 - bits) & 63];
  while ((text.size() - 6) % 4 != 0) text += '=';
  return text;
}

FakeRegistry::FakeRegistry()
    : server_([this](HttpConnection& client, const HttpServerRequest& request) { return serve(client, request); }) {}

FakeRegistry::~FakeRegistry() {
  refuse_connections();
}

std::string FakeRegistry::host() const {
  return "127.0.0.1:" + std::to_string(server_.port());
}

void FakeRegistry::push(const std::string& repository, const std::string& tag, const SampleImage& image) {
  put_manifest(repository, tag, image.media_type, image.manifest);
  put_blob(image.config_digest, kept_bytes(image.config));
  for (const SampleLayer& layer : image.layers) put_blob(layer.digest, layer.content);
}

void FakeRegistry::push(const std::string& repository, const std::string& tag, const SampleIndex& index) {
  for (const SampleImage& image : index.images) push(repository, "", image);
  for (const SampleImage& attestation : index.attestations) push(repository, "", attestation);
  put_manifest(repository, tag, index.media_type, index.body);
}

void FakeRegistry::put_manifest(const std::string& repository, const std::string& tag, const std::string& media_type,
                                const std::string& body) {
  MutexLock lock(mutex_);
  shelf_.put_manifest(repository, tag, media_type, body);
}

void FakeRegistry::put_manifest_as(const std::string& repository, const Digest& digest, const std::string& media_type,
                                   const std::string& body) {
  MutexLock lock(mutex_);
  shelf_.put_manifest_as(repository, digest, media_type, body);
}

void FakeRegistry::put_blob(const Digest& digest, ContentPtr content) {
  MutexLock lock(mutex_);
  shelf_.put_blob(digest, std::move(content));
}

void FakeRegistry::drop_tag(const std::string& repository, const std::string& tag) {
  MutexLock lock(mutex_);
  shelf_.drop_tag(repository, tag);
}

void FakeRegistry::list_names(const std::string& repository, const std::vector<std::string>& names) {
  MutexLock lock(mutex_);
  shelf_.list_names(repository, names);
}

std::string FakeRegistry::manifest_path(const std::string& repository, const std::string& target) {
  return "/v2/" + repository + "/manifests/" + target;
}

std::string FakeRegistry::blob_path(const std::string& repository, const Digest& digest) {
  return "/v2/" + repository + "/blobs/" + digest.str();
}

std::string FakeRegistry::tags_path(const std::string& repository) {
  return "/v2/" + repository + "/tags/list";
}

void FakeRegistry::set_page_size(size_t tags) {
  MutexLock lock(mutex_);
  shelf_.set_page_size(tags);
}

void FakeRegistry::set_absolute_links(bool absolute) {
  MutexLock lock(mutex_);
  shelf_.set_link_base(absolute ? "http://" + host() : "");
}

void FakeRegistry::require_token() {
  MutexLock lock(mutex_);
  wants_token_ = true;
}

void FakeRegistry::require_token_of(const FakeLogin& login) {
  MutexLock lock(mutex_);
  wants_token_ = true;
  token_login_ = basic_header(login);
}

void FakeRegistry::require_basic(const FakeLogin& login) {
  MutexLock lock(mutex_);
  basic_login_ = basic_header(login);
}

void FakeRegistry::require_token_for(const std::string& refresh_token) {
  MutexLock lock(mutex_);
  wants_token_ = true;
  refresh_token_ = refresh_token;
}

void FakeRegistry::require_ready_token(const std::string& token) {
  MutexLock lock(mutex_);
  wants_token_ = true;
  ready_token_ = token;
}

void FakeRegistry::expire_tokens() {
  MutexLock lock(mutex_);
  ++token_age_;
}

void FakeRegistry::set_realm(const std::string& realm) {
  MutexLock lock(mutex_);
  realm_ = realm;
}

void FakeRegistry::redirect_path(const std::string& path, const std::string& url) {
  MutexLock lock(mutex_);
  redirects_.insert_or_assign(path, url);
}

void FakeRegistry::set_link_host(const std::string& host) {
  MutexLock lock(mutex_);
  shelf_.set_link_base("http://" + host);
}

void FakeRegistry::redirect_blobs_to(const std::string& host) {
  MutexLock lock(mutex_);
  blob_host_ = host;
}

void FakeRegistry::break_path(const std::string& path, Fault fault) {
  MutexLock lock(mutex_);
  faults_.insert_or_assign(path, std::move(fault));
}

void FakeRegistry::mend(const std::string& path) {
  MutexLock lock(mutex_);
  faults_.erase(path);
  changed_.notify_all();
}

size_t FakeRegistry::waiting() const {
  MutexLock lock(mutex_);
  return waiting_;
}

bool FakeRegistry::wait_until_waiting(size_t requests, std::chrono::milliseconds at_most) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  MutexLock lock(mutex_);
  while (waiting_ < requests) {
    if (!changed_.wait_until(lock, deadline)) return waiting_ >= requests;
  }
  return true;
}

void FakeRegistry::refuse_connections() {
  {
    MutexLock lock(mutex_);
    refusing_ = true;
    changed_.notify_all();
  }
  server_.stop();
}

void FakeRegistry::accept_connections() {
  {
    MutexLock lock(mutex_);
    refusing_ = false;
  }
  server_.start();
}

}  // namespace regfs::test
