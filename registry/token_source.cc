// SPDX-License-Identifier: MIT
#include "registry/token_source.h"

#include "registry/challenge.h"
#include "registry/refusal.h"
#include "registry/token_answer.h"
#include "registry/transport_failure.h"
#include "registry/url.h"

namespace regfs::registry {
namespace {

// Far more repositories than a mount meets; beyond it what has expired is forgotten.
constexpr size_t kManyTokens = 4096;

// What GHCR writes where it does not know the repository.
constexpr std::string_view kPlaceholderScope = "repository:user/image:pull";

std::string scope_for(const Repository& repository, const Challenge& challenge) {
  std::string scope = value_of(challenge, "scope");
  if (!scope.empty() && scope != kPlaceholderScope) return scope;
  if (repository.name == kCatalogName) return "registry:catalog:*";
  return "repository:" + repository.name + ":pull";
}

bool is_bearer(const std::optional<Secret>& header) {
  return header && header->reveal().starts_with("Bearer ");
}

// Of a credential and of the header that was made of it, what an answer might repeat.
std::vector<Secret> secrets_of(const std::optional<Credential>& credential, const Secret& header) {
  std::vector<Secret> secrets;
  if (credential) secrets = {credential->password, credential->identity_token, credential->registry_token};
  secrets.emplace_back(header.reveal().substr(header.reveal().find(' ') + 1));
  return secrets;
}

std::string named_host(const std::string& registry_url) {
  std::optional<Origin> registry = origin_of(registry_url);
  return canonical_host(registry ? registry->authority() : std::string());
}

}  // namespace

struct TokenSource::Flight {
  std::optional<Result<Secret>> result;  // the source's mutex guards it
};

// Lands a flight whatever happens: others wait for it.
class TokenSource::Landing {
 public:
  Landing(TokenSource& source, TokenWant want) : source_(source), want_(std::move(want)) {}
  ~Landing() {
    MutexLock lock(source_.mutex_);
    auto flight = source_.flights_.find(want_);
    flight->second->result = std::move(result);
    source_.flights_.erase(flight);
    source_.landed_.notify_all();
  }
  Landing(const Landing&) = delete;
  Landing& operator=(const Landing&) = delete;

  Result<Secret> result = Error{Errc::bad_response, "the request for a token was given up"};

 private:
  TokenSource& source_;
  const TokenWant want_;
};

bool is_challenge(int status) {
  return status == 401 || status == 403;
}

TokenSource::TokenSource(Caller& caller, const Endpoints& endpoints, const Clock& clock, const ClientOptions& options)
    : caller_(caller),
      endpoints_(endpoints),
      clock_(clock),
      options_(options),
      requests_(caller, endpoints, clock, options) {}
TokenSource::~TokenSource() = default;

TokenSource::Found TokenSource::find(const Repository& repository) {
  if (!options_.credentials) return std::optional<Credential>();
  return options_.credentials->find(repository);
}

std::optional<TokenSource::Refusal> TokenSource::refusal_of(const Repository& repository,
                                                            const std::optional<Credential>& credential) {
  if (!credential) return std::nullopt;
  MutexLock lock(mutex_);
  auto found = refusals_.find(repository);
  if (found == refusals_.end()) return std::nullopt;
  if (found->second.until > clock_.now() && found->second.credential == *credential) return found->second;
  refusals_.erase(found);
  return std::nullopt;
}

void TokenSource::remember_refusal(const Repository& repository, const std::optional<Credential>& credential,
                                   std::optional<Error> error) {
  if (!credential) return;
  MutexLock lock(mutex_);
  if (refusals_.size() >= kManyTokens) refusals_.clear();
  refusals_.insert_or_assign(repository, Refusal{*credential, clock_.now() + kRefusalKept, std::move(error)});
}

void TokenSource::tell_refused(const Repository& repository) {
  if (options_.credentials) options_.credentials->refused(repository);
}

std::optional<TokenSource::Habit> TokenSource::habit_of(const Repository& repository) {
  MutexLock lock(mutex_);
  auto found = habits_.find(repository);
  if (found == habits_.end()) return std::nullopt;
  return found->second;
}

Shown TokenSource::shown(const Repository& repository) {
  MutexLock lock(mutex_);
  auto found = shown_.find(repository);
  return found == shown_.end() ? Shown() : found->second;
}

void TokenSource::note_shown(const Repository& repository, Shown shown) {
  if (shown_.size() >= kManyTokens) shown_.clear();
  shown_.insert_or_assign(repository, std::move(shown));
}

Result<std::optional<Secret>> TokenSource::current(const Repository& repository) {
  std::optional<Habit> habit = habit_of(repository);
  if (!habit) return std::optional<Secret>();
  return answer(repository, *habit, std::nullopt);
}

Result<std::optional<Secret>> TokenSource::renewed(const Repository& repository, const std::string& registry_url,
                                                   const HttpHead& head, const std::optional<Secret>& rejected) {
  if (rejected) tell_refused(repository);
  if (head.status == 403) {
    std::optional<Habit> known = habit_of(repository);
    if (!known || !rejected || !outdated(repository, *known, *rejected)) return std::optional<Secret>();
    return answer(repository, *known, rejected);
  }
  Result<std::optional<Habit>> habit = learn(repository, registry_url, head, rejected);
  if (!habit) return habit.error();
  if (!habit->has_value()) return std::optional<Secret>();
  if (denied(**habit, head, rejected) && !outdated(repository, **habit, *rejected)) return std::optional<Secret>();
  return answer(repository, **habit, rejected);
}

// How this 401 is to be answered; nullopt when nothing answers it.
Result<std::optional<TokenSource::Habit>> TokenSource::learn(const Repository& repository,
                                                             const std::string& registry_url, const HttpHead& head,
                                                             const std::optional<Secret>& rejected) {
  Found credential = find(repository);
  if (!credential) return credential.error();
  std::optional<Challenge> challenge = bearer_challenge(head);
  std::optional<Habit> known = habit_of(repository);
  bool wants_basic = names_basic(head);
  if (!challenge && !wants_basic) {
    // Some registries refuse a token they do not like without a challenge: the last one holds, or that of their root.
    if (known) return rejected ? known : std::nullopt;
    if (rejected) return std::optional<Habit>();
    const HttpHead root = greeting(registry_url);
    challenge = bearer_challenge(root);
    wants_basic = names_basic(root);
    if (!challenge && !wants_basic) return std::optional<Habit>();
  }
  Habit habit;
  habit.want.registry_url = registry_url;
  habit.want.account = *credential ? (*credential)->source : "";
  if (challenge) {
    habit.want.realm = value_of(*challenge, "realm");
    habit.want.service = value_of(*challenge, "service");
    habit.want.scope = scope_for(repository, *challenge);
  } else if (*credential && (*credential)->has_password()) {
    habit.scheme = Habit::Scheme::basic;
  } else {
    // Harbor names only Basic to a token that has aged.
    return is_bearer(rejected) ? known : std::nullopt;
  }
  MutexLock lock(mutex_);
  habits_[repository] = habit;
  return std::optional<Habit>(std::move(habit));
}

// What the registry's root answers, without any credential.
HttpHead TokenSource::greeting(const std::string& registry_url) {
  HttpRequest request;
  request.url = registry_url + "/v2/";
  request.headers.add("User-Agent", options_.user_agent);
  endpoints_.secure(request, Endpoints::Peer::registry);
  request.connect_timeout = options_.connect_timeout;
  request.stall_timeout = options_.timeout;
  Answer answer = caller_.send(std::move(request), kMaxTokenBodyBytes);
  return answer.error || answer.head.status != 401 ? HttpHead() : std::move(answer.head);
}

// Whether the realm has just said what this registry says now: that the scope is not for us.
bool TokenSource::denied(const Habit& habit, const HttpHead& head, const std::optional<Secret>& rejected) {
  std::optional<Challenge> challenge = bearer_challenge(head);
  if (!rejected || !challenge || value_of(*challenge, "error") != "insufficient_scope") return false;
  MutexLock lock(mutex_);
  auto cached = tokens_.find(habit.want);
  return cached != tokens_.end() && cached->second.header == *rejected &&
         clock_.now() < cached->second.since + kFreshToken;
}

// Whether the credential behind a header is another by now.
bool TokenSource::outdated(const Repository& repository, const Habit& habit, const Secret& rejected) {
  Found credential = find(repository);
  if (!credential) return false;
  if (habit.scheme == Habit::Scheme::basic) {
    return *credential && (*credential)->has_password() &&
           basic_authorization((*credential)->username, (*credential)->password) != rejected;
  }
  MutexLock lock(mutex_);
  auto cached = tokens_.find(habit.want);
  return cached != tokens_.end() && cached->second.header == rejected && cached->second.credential != *credential;
}

Result<std::optional<Secret>> TokenSource::answer(const Repository& repository, const Habit& habit,
                                                  const std::optional<Secret>& rejected) {
  if (habit.scheme == Habit::Scheme::basic) {
    Result<std::optional<Secret>> header = basic(repository, habit);
    // The same again would only bring the account nearer to being locked.
    if (!header || !rejected || *header != rejected) return header;
    if (Found credential = find(repository); credential) remember_refusal(repository, *credential, std::nullopt);
    return std::optional<Secret>();
  }
  Result<Secret> header = get(habit.want, repository, rejected);
  if (!header) return header.error();
  return std::optional<Secret>(std::move(*header));
}

Result<std::optional<Secret>> TokenSource::basic(const Repository& repository, const Habit& habit) {
  Found credential = find(repository);
  if (!credential) return credential.error();
  const bool usable = *credential && (*credential)->has_password();
  if (usable && !endpoints_.may_know_secrets(habit.want.registry_url)) {
    return Error{Errc::unauthorized,
                 host_in(habit.want.registry_url) + " asks for a password over plain http: refused"};
  }
  const Secret header = usable ? basic_authorization((*credential)->username, (*credential)->password) : Secret();
  {
    MutexLock lock(mutex_);
    note_shown(repository, usable ? Shown{identity_of(*credential), secrets_of(*credential, header)} : Shown());
  }
  if (!usable || refusal_of(repository, *credential)) return std::optional<Secret>();
  return std::optional<Secret>(header);
}

Result<Secret> TokenSource::get(const TokenWant& want, const Repository& repository,
                                const std::optional<Secret>& rejected) {
  {
    MutexLock lock(mutex_);
    auto cached = tokens_.find(want);
    if (cached != tokens_.end()) {
      bool usable = clock_.now() < cached->second.use_until && (!rejected || cached->second.header != *rejected);
      if (usable) {
        note_shown(repository, cached->second.shown);
        return cached->second.header;
      }
      tokens_.erase(cached);
    }
    auto under_way = flights_.find(want);
    if (under_way != flights_.end()) {
      std::shared_ptr<Flight> other = under_way->second;
      while (!other->result) landed_.wait(lock);  // whoever flies it is ended by the Caller's shutdown
      if (auto landed = tokens_.find(want); landed != tokens_.end()) note_shown(repository, landed->second.shown);
      return *other->result;
    }
    flights_.emplace(want, std::make_shared<Flight>());
  }
  Landing landing(*this, want);
  landing.result = fetch(want, repository);
  return landing.result;
}

Result<Secret> TokenSource::fetch(const TokenWant& want, const Repository& repository) {
  const Monotonic::time_point asked_at = clock_.now();
  const std::string doing = "asking " + host_in(want.realm) + " for a token for " + repository.name;
  std::optional<Credential> credential;
  Result<Answer> answer = ask_realm(want, repository, credential);
  if (!answer) return answer.error();
  const bool is_told =
      credential && (!credential->registry_token.empty() || requests_.may_know_secrets(want, want.realm));
  const std::string identity = is_told ? identity_of(credential) : "";
  Result<TokenAnswer> token = Error{Errc::bad_response, ""};
  if (credential && !credential->registry_token.empty()) {
    token = TokenAnswer{.token = credential->registry_token, .expires_in = kShortestTokenLife};
  } else {
    if (answer->error) return answer->error->while_doing(doing);
    if (answer->head.status != 200) {
      Error error = to_error(registry::Refusal{answer->head.status, host_in(answer->url), named_host(want.registry_url),
                                               "asking for a token", answer->body,
                                               circumstances(answer->head, {identity, secrets_of(credential, Secret())},
                                                             clock_.wall_now(), options_.timeout)});
      // It says nothing of the repository.
      if (error.is(Errc::not_found) || error.is(Errc::unsupported)) error = {Errc::bad_response, error.context()};
      if (is_challenge(answer->head.status)) remember_refusal(repository, credential, error);
      return error;
    }
    if (answer->cut) return Error{Errc::too_large, doing + ": the answer is over 1 MiB"};
    token = parse_token_answer(answer->body);
    if (!token) return token.error().while_doing(doing);
    if (is_told && !credential->identity_token.empty() && !token->refresh_token.empty()) {
      refresh_tokens_.renewed(want.realm, credential->identity_token, token->refresh_token);
    }
  }
  Secret header("Bearer " + token->token.reveal());
  MutexLock lock(mutex_);
  forget_expired();
  Shown shown{identity, secrets_of(credential, header)};
  note_shown(repository, shown);
  tokens_[want] =
      Token{header, asked_at, asked_at + token->expires_in - kTokenMargin, std::move(credential), std::move(shown)};
  return header;
}

// With the newest refresh token of the login. Another request may have been given a newer one meanwhile.
Answer TokenSource::ask_as(const TokenWant& want, const std::optional<Credential>& credential) {
  if (!credential || credential->identity_token.empty()) return requests_.ask(want, credential);
  const Secret& filed = credential->identity_token;
  Credential shown = *credential;
  shown.identity_token = refresh_tokens_.latest(want.realm, filed);
  Answer answer = requests_.ask(want, shown);
  // OAuth2 says 400 "invalid_grant" of one that is good no more.
  const bool refused = !answer.error && (is_challenge(answer.head.status) || answer.head.status == 400);
  if (!refused) return answer;
  Secret other = refresh_tokens_.after_refusal(want.realm, filed, shown.identity_token);
  if (other == shown.identity_token) return answer;
  shown.identity_token = std::move(other);
  return requests_.ask(want, shown);
}

// Asks once more when the realm refuses a credential and there is another by now. A Bearer token that stands as it is
// in the credential needs no realm.
Result<Answer> TokenSource::ask_realm(const TokenWant& want, const Repository& repository,
                                      std::optional<Credential>& credential) {
  for (bool again = false;; again = true) {
    Found found = find(repository);
    if (!found) return found.error();
    credential = *found;
    if (credential && !credential->registry_token.empty()) return Answer();
    if (std::optional<Refusal> known = refusal_of(repository, credential); known && known->error) return *known->error;
    Answer answer = ask_as(want, credential);
    if (again || answer.error || !is_challenge(answer.head.status)) return answer;
    tell_refused(repository);
    Found other = find(repository);
    if (!other || *other == credential) return answer;
  }
}

void TokenSource::forget_expired() {
  if (tokens_.size() < kManyTokens) return;
  Monotonic::time_point now = clock_.now();
  for (auto it = tokens_.begin(); it != tokens_.end();) it = it->second.use_until <= now ? tokens_.erase(it) : ++it;
  if (habits_.size() >= kManyTokens) habits_.clear();  // costs each repository one challenge
}

}  // namespace regfs::registry
