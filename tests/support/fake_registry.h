// SPDX-License-Identifier: MIT
// A small real registry on 127.0.0.1: /v2/, tag lists in pages, manifests, blobs with ranges,
// anonymous tokens, redirects to another store, and faults on demand. It keeps a journal of what was
// asked. Everything may be called from any thread while clients are served.
//
//   FakeRegistry registry;
//   registry.push("app", "latest", image);
//   registry.break_path(registry.blob_path("app", layer.digest), stalls_at(1 << 20));
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "tests/support/fault.h"
#include "tests/support/http_server.h"
#include "tests/support/journal.h"
#include "tests/support/registry_shelf.h"
#include "tests/support/sample_images.h"

namespace regfs::test {

struct FakeLogin {
  std::string username;
  std::string password;
};

// "Basic dXNlcjpwYXNz"; written anew, lest the program's own base64 be compared with itself.
std::string basic_header(const FakeLogin& login);

class FakeRegistry {
 public:
  FakeRegistry();
  ~FakeRegistry();  // releases who is held or stalled, and waits for every thread

  std::string host() const;  // "127.0.0.1:PORT"
  const Journal& journal() const { return journal_; }
  Journal& journal() { return journal_; }

  // --- what it holds ---

  void push(const std::string& repository, const std::string& tag, const SampleImage& image);
  void push(const std::string& repository, const std::string& tag, const SampleIndex& index);
  void put_manifest(const std::string& repository, const std::string& tag, const std::string& media_type,
                    const std::string& body);
  void put_manifest_as(const std::string& repository, const Digest& digest, const std::string& media_type,
                       const std::string& body);
  void put_blob(const Digest& digest, ContentPtr content);
  void drop_tag(const std::string& repository, const std::string& tag);
  void list_names(const std::string& repository, const std::vector<std::string>& names);

  static std::string manifest_path(const std::string& repository, const std::string& target);
  static std::string blob_path(const std::string& repository, const Digest& digest);
  static std::string tags_path(const std::string& repository);

  // --- how it answers ---

  void set_page_size(size_t tags);
  void set_absolute_links(bool absolute);
  // Everything below /v2/ wants a Bearer token, which /token gives to anybody who names a scope.
  void require_token();
  // The same, and /token gives one only to this user by Basic. Or everything wants the user itself.
  void require_token_of(const FakeLogin& login);
  void require_basic(const FakeLogin& login);
  // /token gives one only for this refresh token, by POST (the OAuth2 flow). Or a token is to be had nowhere, and this
  // one is good for everything.
  void require_token_for(const std::string& refresh_token);
  void require_ready_token(const std::string& token);
  // Tokens given so far are refused from now on.
  void expire_tokens();
  // Where challenges say that tokens are to be had; "http://HOST/token" of itself unless told.
  void set_realm(const std::string& realm);
  // Requests of that path are answered with a redirect to the URL.
  void redirect_path(const std::string& path, const std::string& url);
  // The next page of a tag list is said to be there.
  void set_link_host(const std::string& host);
  // Blobs are answered with 307 to the same path there.
  void redirect_blobs_to(const std::string& host);

  // One fault for each path; "…*" is every path that begins so, and the exact path goes first.
  void break_path(const std::string& path, Fault fault);
  // Whoever is held or stalled there goes on.
  void mend(const std::string& path);
  // Requests that wait in a fault now; also those whose client has given up meanwhile.
  size_t waiting() const;
  // False when fewer wait after that time.
  bool wait_until_waiting(size_t requests, std::chrono::milliseconds at_most);

  // Nobody listens: connections are refused, open ones end.
  void refuse_connections();
  void accept_connections();

 private:
  struct Answering;
  bool serve(HttpConnection& client, const HttpServerRequest& request);
  RegistryAnswer decide(const HttpServerRequest& request, const Fault& fault);
  bool send_answer(Answering& answering);
  bool send_body(Answering& answering);
  bool speak(Answering& answering);
  bool pause(std::chrono::steady_clock::duration time);  // false: the registry ends its connections
  Fault meet_fault(const HttpServerRequest& request);
  bool wait_until_mended(const std::string& path);  // false: the registry ends its connections
  bool broken(const std::string& path) const REGFS_REQUIRES(mutex_);
  std::optional<RegistryAnswer> guard(const HttpServerRequest& request) const REGFS_REQUIRES(mutex_);
  std::optional<RegistryAnswer> token_dance(const HttpServerRequest& request) const REGFS_REQUIRES(mutex_);

  Journal journal_;
  mutable Mutex mutex_;
  CondVar changed_;
  RegistryShelf shelf_ REGFS_GUARDED_BY(mutex_);
  std::map<std::string, Fault> faults_ REGFS_GUARDED_BY(mutex_);
  size_t waiting_ REGFS_GUARDED_BY(mutex_) = 0;
  bool refusing_ REGFS_GUARDED_BY(mutex_) = false;
  bool wants_token_ REGFS_GUARDED_BY(mutex_) = false;
  std::optional<std::string> token_login_ REGFS_GUARDED_BY(mutex_);  // "Basic …"
  std::optional<std::string> basic_login_ REGFS_GUARDED_BY(mutex_);
  std::optional<std::string> refresh_token_ REGFS_GUARDED_BY(mutex_);
  std::optional<std::string> ready_token_ REGFS_GUARDED_BY(mutex_);
  unsigned token_age_ REGFS_GUARDED_BY(mutex_) = 0;
  std::string realm_ REGFS_GUARDED_BY(mutex_);
  std::map<std::string, std::string> redirects_ REGFS_GUARDED_BY(mutex_);
  std::string blob_host_ REGFS_GUARDED_BY(mutex_);
  HttpServer server_;  // last: its threads use all of the above
};

}  // namespace regfs::test
