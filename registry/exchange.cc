// SPDX-License-Identifier: MIT
#include "registry/exchange.h"

#include <algorithm>
#include <utility>

#include "registry/challenge.h"
#include "registry/redirect.h"
#include "registry/refusal.h"
#include "registry/url.h"

namespace regfs::registry {
namespace {

// First without a token or with one that has aged, then with the one that its challenge asks for.
constexpr int kMaxChallenges = 2;

}  // namespace

std::string Reply::media_type() const {
  std::string type = head.headers.first("Content-Type").value_or("");
  type = type.substr(0, type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
  for (char& c : type) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return type;
}

Exchange::Exchange(Caller& caller, Endpoints& endpoints, TokenSource& tokens, const Clock& clock,
                   const ClientOptions& options, RateLimits& limits)
    : caller_(caller), endpoints_(endpoints), tokens_(tokens), clock_(clock), options_(options), limits_(limits) {}

Result<Reply> Exchange::ask(const Question& question) {
  std::string asked_url;
  RetryPolicy policy = retry_policy(options_);
  if (question.once || question.for_words) policy.attempts = 1;
  Answer answer =
      caller_.with_retries(policy, clock_, [this, &question, &asked_url] { return once(question, asked_url); });
  if (answer.error) return answer.error->while_doing(question.what);
  const Endpoint endpoint = endpoints_.of(question.repository.host);
  const bool own = origin_of(answer.url) == origin_of(endpoint.url);
  Circumstances around = circumstances(answer.head, own ? tokens_.shown(question.repository) : Shown(),
                                       clock_.wall_now(), options_.timeout);
  std::string name = answerer_name(question.repository, endpoint, answer.url);
  return Reply{std::move(answer.head), std::move(answer.body), answer.cut, asked_url,
               std::move(name),        std::move(around)};
}

Answer Exchange::once(const Question& question, std::string& asked_url) {
  const std::string& host = question.repository.host;
  bool asked_again = false;
  for (int challenges = 0;;) {
    Result<std::optional<Secret>> token = tokens_.current(question.repository);
    if (!token) {
      Answer failed;
      failed.error = token.error();
      return failed;
    }
    Endpoint endpoint = endpoints_.of(host);
    asked_url = endpoint.url + question.path;
    Answer answer = follow(question, endpoint, *token);
    if (answer.error) {
      if (answer.url == asked_url && endpoints_.changed_by_failure(host, endpoint, answer.failure)) continue;
      return answer;
    }
    endpoints_.answered(host, endpoint, answer.head.status);
    const bool own = origin_of(answer.url) == origin_of(endpoint.url);
    if (!own && turns_away(answer.head.status) && !std::exchange(asked_again, true)) continue;
    if (own) limits_.saw(host, answer.head, tokens_.shown(question.repository).identity);
    bool challenged = is_challenge(answer.head.status) && own;
    if (!challenged || question.for_words || challenges++ == kMaxChallenges) return answer;
    Result<std::optional<Secret>> renewed = tokens_.renewed(question.repository, endpoint.url, answer.head, *token);
    if (!renewed) {
      answer.error = renewed.error();
      return answer;
    }
    if (!renewed->has_value()) return answer;
  }
}

Answer Exchange::follow(const Question& question, const Endpoint& endpoint, const std::optional<Secret>& token) {
  std::string url = endpoint.url + question.path;
  std::optional<Origin> registry = origin_of(endpoint.url);
  for (int hop = 0;; ++hop) {
    HttpRequest request = request_for(question, url);
    bool own = origin_of(url) == registry;
    endpoints_.secure(request, own ? Endpoints::Peer::registry : Endpoints::Peer::other);
    if (own && token) request.headers.add("Authorization", token->reveal());
    Answer answer = caller_.send(std::move(request), question.body_limit, question.at_most);
    if (answer.error || !is_redirect(answer.head.status)) return answer;
    Result<std::string> target = redirect_target(url, answer.head, question.protects);
    if (hop == kMaxRedirects) {
      target = Error{Errc::bad_response, "over " + std::to_string(kMaxRedirects) + " redirects, the last of them to " +
                                             redacted(target ? *target : url)};
    }
    if (!target) {
      answer.error = target.error();
      return answer;
    }
    url = *target;
  }
}

HttpRequest Exchange::request_for(const Question& question, const std::string& url) const {
  HttpRequest request;
  request.method = question.method;
  request.url = url;
  request.headers.add("User-Agent", options_.user_agent);
  if (!question.accept.empty()) request.headers.add("Accept", question.accept);
  request.decode_content = question.decode_content;
  request.connect_timeout = options_.connect_timeout;
  request.stall_timeout = options_.timeout;
  if (question.at_most) {
    request.connect_timeout = std::min(request.connect_timeout, *question.at_most);
    request.stall_timeout = std::min(request.stall_timeout, *question.at_most);
  }
  return request;
}

Error refused(const Question& question, const Reply& reply) {
  std::string words = reply.body.empty() ? challenge_error(reply.head) : reply.body;
  return to_error(Refusal{reply.head.status, reply.answered_by, question.repository.host, question.what,
                          std::move(words), reply.around});
}

std::string answerer_name(const Repository& repository, const Endpoint& endpoint, const std::string& url) {
  std::optional<Origin> origin = origin_of(url);
  if (origin && origin != origin_of(endpoint.url)) return origin->authority();
  return repository.host;
}

}  // namespace regfs::registry
