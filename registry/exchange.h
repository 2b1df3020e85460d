// SPDX-License-Identifier: MIT
// One question to a registry, with all that may stand between it and the answer: the choice of scheme, the
// challenge and its token or password, redirects, and other tries after a pause.
//
// At most kMaxRedirects are followed; a token or password goes along only while scheme, host and port stay
// the registry's. 401 is answered with one at most twice a try. Of a redirect's target 400, 401 and 403 may mean that
// its URL has expired: the registry is asked once more. Used by names, on the caller's thread,
// which waits. Owned by Client; safe to use from any thread that may wait.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "registry/caller.h"
#include "registry/client.h"
#include "registry/endpoint.h"
#include "registry/rate_limit.h"
#include "registry/redirect.h"
#include "registry/reference.h"
#include "registry/refusal.h"
#include "registry/token_source.h"

namespace regfs::registry {

struct Question {
  Repository repository;
  std::string what;  // "ghcr.io/acme/api:v1", for sentences
  std::string path;  // "/v2/acme/api/manifests/v1", with its query
  std::string method = "GET";
  std::string accept;  // empty: anything
  size_t body_limit = 0;
  bool decode_content = false;
  bool once = false;  // no other tries
  // Once more after a refusal, to hear why: with what was shown then, or with nothing where that was a password.
  bool for_words = false;
  Protects protects = Protects::tls;                      // the answer, where a redirect leads to another server
  std::optional<std::chrono::milliseconds> at_most = {};  // for a request, all of it
};

struct Reply {
  HttpHead head;
  std::string body;
  bool cut = false;         // the body is over the limit; only its beginning is here
  std::string asked_url;    // of the registry, before any redirect
  std::string answered_by;  // host, after redirects
  Circumstances around;

  bool ok() const { return head.status == 200; }
  std::string media_type() const;  // Content-Type without parameters, lower case
};

class Exchange {
 public:
  Exchange(Caller& caller, Endpoints& endpoints, TokenSource& tokens, const Clock& clock, const ClientOptions& options,
           RateLimits& limits);

  // May wait. Any status that stays after the tries is a Reply, whether one likes it or not.
  Result<Reply> ask(const Question& question);

 private:
  Answer once(const Question& question, std::string& asked_url);
  Answer follow(const Question& question, const Endpoint& endpoint, const std::optional<Secret>& token);
  HttpRequest request_for(const Question& question, const std::string& url) const;

  Caller& caller_;
  Endpoints& endpoints_;
  TokenSource& tokens_;
  const Clock& clock_;
  const ClientOptions& options_;
  RateLimits& limits_;
};

// The Error that a Reply other than 200 means, in the words of its body, or else of its challenge.
Error refused(const Question& question, const Reply& reply);

// How the one who answered is called in sentences: the registry by its own name, another by its host.
std::string answerer_name(const Repository& repository, const Endpoint& endpoint, const std::string& url);

}  // namespace regfs::registry
