// SPDX-License-Identifier: MIT
#include "tests/support/registry_imitation.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

namespace regfs::test {
namespace {

constexpr std::string_view kBearer = "Bearer imitated.token.";
constexpr const char* kSignature = "X-Signature=a%2Fb%3D%3D";
constexpr const char* kCatalogScope = "registry:catalog:*";
constexpr const char* kReferenceDistributionBasic = R"(Basic realm="basic-realm")";

std::string bearer_of(size_t age) {
  std::string header(kBearer);
  header += std::to_string(age);
  return header;
}

void replace_all(std::string& text, const std::string& word, const std::string& by) {
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + by.size())) {
    text.replace(at, word.size(), by);
  }
}

std::string percent_encoded(const std::string& text) {
  constexpr const char* kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char each : text) {
    const auto letter = static_cast<unsigned char>(each);
    if (std::isalnum(letter) != 0 || letter == '-' || letter == '.' || letter == '_' || letter == '~') {
      out += static_cast<char>(letter);
    } else {
      out += {'%', kDigits[letter >> 4], kDigits[letter & 15]};
    }
  }
  return out;
}

std::string repository_in(const std::string& path) {
  for (const char* const word : {"/manifests/", "/blobs/", "/tags/list"}) {
    if (const size_t at = path.rfind(word); at != std::string::npos && at >= 4) return path.substr(4, at - 4);
  }
  return {};
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string header(const ScriptedExchange& exchange, const std::string& name) {
  const auto found = exchange.request.headers.find(name);
  return found == exchange.request.headers.end() ? std::string() : found->second;
}

std::string in_json(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "\"" : ",\"") + name + "\"";
  return text;
}

}  // namespace

RegistryImitation::RegistryImitation(RegistryProfile profile)
    : profile_(std::move(profile)), password_(profile_.login.password) {
  store_.break_path("/*", as(Who::store));
  registry_.break_path("/*", as(Who::registry));
}

Fault RegistryImitation::as(Who who) {
  return speaks([this, who](const ScriptedExchange& exchange) {
    RawAnswer sent = honest_answer(exchange);
    if (!give_token(exchange, sent)) {
      who == Who::store ? answer_from_store(exchange, sent) : answer(exchange, sent);
    }
    Trouble trouble;
    {
      MutexLock lock(mutex_);
      for (TroubleAhead& ahead : troubles_[static_cast<int>(who)]) {
        if (ahead.times == 0 || !has(exchange.request.path, ahead.text_in_path)) continue;
        if (ahead.times > 0) --ahead.times;
        trouble = ahead.trouble;
        break;
      }
    }
    if (trouble && !trouble(exchange, sent)) return false;
    return profile_.chunked ? send_in_chunks(exchange, std::move(sent)) : send_answer(exchange, sent);
  });
}

void RegistryImitation::push(const std::string& repository, const std::string& tag, const SampleImage& image) {
  registry_.push(repository, tag, image);
  store_.push(repository, tag, image);
  MutexLock lock(mutex_);
  repositories_.insert(repository);
}

void RegistryImitation::push(const std::string& repository, const std::string& tag, const SampleIndex& index) {
  registry_.push(repository, tag, index);
  store_.push(repository, tag, index);
  MutexLock lock(mutex_);
  repositories_.insert(repository);
}

void RegistryImitation::list_tags(std::vector<std::string> tags) {
  MutexLock lock(mutex_);
  tags_ = std::move(tags);
}

void RegistryImitation::require_login() {
  MutexLock lock(mutex_);
  knows_users_ = true;
}

void RegistryImitation::require_password(const std::string& password) {
  MutexLock lock(mutex_);
  knows_users_ = true;
  aged_passwords_.insert(password_);
  password_ = password;
}

void RegistryImitation::expire_tokens_after(const std::string& path, std::function<void()> then,
                                            std::function<void()> refused) {
  MutexLock lock(mutex_);
  last_path_ = path;
  then_ = std::move(then);
  refused_ = std::move(refused);
}

void RegistryImitation::set_trouble(Who who, const std::string& text_in_path, int times, Trouble trouble) {
  MutexLock lock(mutex_);
  troubles_[static_cast<int>(who)].push_back({text_in_path, times, std::move(trouble)});
}

size_t RegistryImitation::tokens_given() const {
  MutexLock lock(mutex_);
  return tokens_given_;
}

size_t RegistryImitation::credentials_shown() const {
  MutexLock lock(mutex_);
  return credentials_shown_;
}

size_t RegistryImitation::turned_away() const {
  MutexLock lock(mutex_);
  return turned_away_;
}

std::vector<std::string> RegistryImitation::complaints() const {
  MutexLock lock(mutex_);
  return complaints_;
}

void RegistryImitation::complain(const std::string& of) {
  MutexLock lock(mutex_);
  complaints_.push_back(of);
}

bool RegistryImitation::has_repository(const std::string& repository) const {
  MutexLock lock(mutex_);
  return repositories_.contains(repository);
}

std::string RegistryImitation::filled(std::string text, const std::string& repository) const {
  replace_all(text, "{self}", registry_.host());
  replace_all(text, "{realm}", profile_.realm_elsewhere ? store_.host() : registry_.host());
  replace_all(text, "{repository}", repository);
  return text;
}

void RegistryImitation::refuse(RawAnswer& answer, const ProfileRefusal& refusal, const std::string& repository) const {
  answer = RawAnswer{.line = "HTTP/1.1 " + std::to_string(refusal.status) + " Refused"};
  answer.set("Content-Type", refusal.type).set_body(filled(refusal.body, repository));
  if (!refusal.challenge.empty()) answer.set("WWW-Authenticate", filled(refusal.challenge, repository));
}

// --- tokens ---

bool RegistryImitation::give_token(const ScriptedExchange& exchange, RawAnswer& answer) {
  if (profile_.token_path.empty() || exchange.request.path != profile_.token_path) return false;
  const std::string asked = "&" + exchange.request.query + "&" + exchange.request.body + "&";
  const auto asks_for = [&asked](const std::string& name, const std::string& value) {
    return has(asked, "&" + name + "=" + percent_encoded(value) + "&");
  };
  if (!asks_for("service", filled(profile_.service, ""))) complain("a token asked for with " + asked);
  if (asks_for("scope", kCatalogScope) && profile_.catalog_token != 200) {
    refuse(answer,
           {profile_.catalog_token, R"({"error":"Unable to decode repository and actions: registry:catalog:*"})"}, "");
    return true;
  }
  const std::string repository = asked_repository(asked);
  if (repository.empty() && !asks_for("scope", kCatalogScope) && !asks_for("scope", profile_.scope)) {
    complain("a token asked for with " + asked);
  }
  if (denies_token(exchange, asked, answer)) return true;
  if (profile_.missing.by_realm && !repository.empty() && !has_repository(repository)) {
    refuse(answer, profile_.missing, repository);
    return true;
  }
  MutexLock lock(mutex_);
  if (repository == "team/app" || profile_.scope.find('{') == std::string::npos) ++tokens_given_;
  std::string text = profile_.token_answer;
  replace_all(text, "{token}", bearer_of(token_age_).substr(std::string_view("Bearer ").size()));
  answer = RawAnswer{};
  answer.set("Content-Type", "application/json").set_body(text);
  return true;
}

// Of the scope that a token is asked for; empty where there is none in it.
std::string RegistryImitation::asked_repository(const std::string& asked) const {
  const size_t hole = profile_.scope.find("{repository}");
  if (hole == std::string::npos) return {};
  const std::string before = "&scope=" + percent_encoded(profile_.scope.substr(0, hole));
  const std::string behind = percent_encoded(profile_.scope.substr(hole + std::string("{repository}").size())) + "&";
  const size_t begin = asked.find(before);
  const size_t end = begin == std::string::npos ? begin : asked.find(behind, begin);
  if (end == std::string::npos) return {};
  std::string repository = asked.substr(begin + before.size(), end - begin - before.size());
  replace_all(repository, "%2F", "/");
  return repository;
}

bool RegistryImitation::denies_token(const ScriptedExchange& exchange, const std::string& asked, RawAnswer& answer) {
  const std::string shown = header(exchange, "authorization");
  bool good = false;
  {
    MutexLock lock(mutex_);
    if (!knows_users_) return false;
    good = profile_.wants_refresh_token
               ? exchange.request.method == "POST" && has(asked, "&grant_type=refresh_token&") &&
                     has(asked, "&refresh_token=" + password_ + "&")
               : shown == basic_header({profile_.login.username, password_});
    const bool any = !shown.empty() || has(asked, "&refresh_token=");
    if (any && !good) ++credentials_shown_;
  }
  if (good) return false;
  refuse(answer, profile_.denied, "");
  return true;
}

// --- the registry ---

bool RegistryImitation::lets_in(const ScriptedExchange& exchange, RawAnswer& answer) {
  const std::string shown = header(exchange, "authorization");
  const bool basic = profile_.token_path.empty();
  bool aged = false;
  std::function<void()> then;
  std::function<void()> refused;
  {
    MutexLock lock(mutex_);
    if (basic && profile_.challenge.empty() && !knows_users_) return true;
    const std::string good = basic ? basic_header({profile_.login.username, password_}) : bearer_of(token_age_);
    if (profile_.basic_too && shown == basic_header({profile_.login.username, password_})) return true;
    if (shown == good) {
      if (last_path_ != exchange.request.path) return true;
      last_path_.clear();
      ++token_age_;
      then = std::exchange(then_, {});
    } else {
      aged = basic ? std::any_of(aged_passwords_.begin(), aged_passwords_.end(),
                                 [&](const std::string& old) {
                                   return shown == basic_header({profile_.login.username, old});
                                 })
                   : shown.starts_with(kBearer);
      if (aged && ++turned_away_ == 1) refused = refused_;
      if (!shown.empty() && basic && !aged) ++credentials_shown_;
    }
  }
  if (then) {
    then();
    return true;
  }
  if (refused) refused();
  if (!shown.empty() && !basic && !aged) complain("shown another credential than its own: " + shown);
  const std::string repository = repository_in(exchange.request.path);
  if (aged && profile_.expired.status != 0) {
    refuse(answer, profile_.expired, repository);
  } else if (!shown.empty() && basic) {
    refuse(answer, profile_.denied, repository);
  } else {
    challenge(exchange, answer);
  }
  return false;
}

void RegistryImitation::challenge(const ScriptedExchange& exchange, RawAnswer& answer) {
  const std::string repository = repository_in(exchange.request.path);
  std::string words = profile_.challenge.empty() ? kReferenceDistributionBasic : profile_.challenge;
  if (exchange.request.method == "GET" && !profile_.get_challenge.empty()) words = profile_.get_challenge;
  if (repository.empty() && !profile_.root_challenge.empty()) words = profile_.root_challenge;
  if (exchange.request.path == "/v2/_catalog") {
    replace_all(words, "repository:{repository}:pull", kCatalogScope);
  } else if (repository.empty()) {
    replace_all(words, R"(,scope="repository:{repository}:pull")", "");
  }
  refuse(answer, {401, profile_.refusal, profile_.list_type, words}, repository);
}

void RegistryImitation::answer(const ScriptedExchange& exchange, RawAnswer& answer) {
  const std::string& path = exchange.request.path;
  const std::string repository = repository_in(path);
  if (path == "/v2/_catalog") return catalog(exchange, answer);
  if (has(path, "/referrers/")) complain("asked for referrers");
  const bool is_short = profile_.one_component.status != 0 && !has(repository, "/");
  if (is_short && !repository.empty()) return refuse(answer, profile_.one_component, repository);
  if (!lets_in(exchange, answer)) return;
  if (!repository.empty() && !has_repository(repository)) return refuse(answer, profile_.missing, repository);
  if (has(path, "/blobs/")) {
    blob(exchange, answer);
  } else if (has(path, "/tags/list")) {
    list(exchange, answer);
  } else if (has(path, "/manifests/")) {
    // "OCI manifest found, but accept header does not support OCI manifests" is what others hear.
    for (const char* const type : {"oci.image.manifest", "oci.image.index", "docker.distribution.manifest.v2",
                                   "docker.distribution.manifest.list.v2"}) {
      if (!has(header(exchange, "accept"), type)) complain("a manifest asked for without " + std::string(type));
    }
    if (!has(profile_.digest_on, exchange.request.method)) answer.remove("Docker-Content-Digest");
    if (exchange.request.method == "HEAD" && profile_.head_status != 200) {
      refuse(answer, {profile_.head_status, "", "text/html"}, repository);
    }
  }
  for (const auto& [name, value] : profile_.headers) answer.add(name, value);
}

void RegistryImitation::blob(const ScriptedExchange& exchange, RawAnswer& answer) {
  const std::string& path = exchange.request.path;
  if (profile_.redirect != 0) {
    answer = RawAnswer{.line = "HTTP/1.1 " + std::to_string(profile_.redirect) + " Elsewhere"};
    answer.set("Location", "http://" + store_.host() + path + "?" + kSignature).set_body("");
    return;
  }
  bool cold = false;
  {
    MutexLock lock(mutex_);
    cold = warm_.insert(path).second && !profile_.ranges_when_cold;
  }
  if (cold || !profile_.ranges) answer = whole_answer(exchange);
}

// As object storage behind signed URLs does it.
void RegistryImitation::answer_from_store(const ScriptedExchange& exchange, RawAnswer& answer) {
  if (!header(exchange, "authorization").empty()) {
    complain("a credential shown to the store");
    return refuse(answer, {400, "<Error><Code>InvalidArgument</Code></Error>", "application/xml"}, "");
  }
  if (exchange.request.method != "GET" || exchange.request.query != kSignature) {
    complain("the store asked by " + exchange.request.method + " with " + exchange.request.query);
    return refuse(answer, {403, "<Error><Code>SignatureDoesNotMatch</Code></Error>", "application/xml"}, "");
  }
  answer.remove("Docker-Content-Digest").remove("Accept-Ranges");
}

void RegistryImitation::list(const ScriptedExchange& exchange, RawAnswer& answer) {
  const std::string& query = exchange.request.query;
  const bool first = !has(query, "last=") && !has(query, "next_page=");
  if (first && !query.empty()) complain("a first page of tags asked for with " + query);
  const std::string repository = repository_in(exchange.request.path);
  answer = RawAnswer{};
  answer.set("Content-Type", profile_.list_type);
  MutexLock lock(mutex_);
  if (repository.ends_with("empty")) {
    answer.set_body(R"({"name":")" + repository + R"(","tags":null})");
    return;
  }
  // Where the page before ended: the last tag of it stands in every cursor.
  auto begin = tags_.begin();
  for (auto tag = tags_.begin(); !first && tag != tags_.end(); ++tag) {
    if (has(query, *tag)) begin = tag + 1;
  }
  const auto rest = static_cast<size_t>(tags_.end() - begin);
  const auto end = begin + static_cast<ptrdiff_t>(profile_.page == 0 ? rest : std::min(profile_.page, rest));
  answer.set_body("{" + profile_.list_more + "\"name\":\"" + repository + "\",\"tags\":[" + profile_.list_junk +
                  in_json({begin, end}) + "]}");
  if (end == tags_.end()) return;
  std::string link = filled(profile_.link, repository);
  replace_all(link, "{last}", *(end - 1));
  replace_all(link, "{page}", std::to_string(profile_.page));
  answer.set("Link", link);
}

void RegistryImitation::catalog(const ScriptedExchange& exchange, RawAnswer& answer) {
  if (profile_.catalog.empty()) return refuse(answer, profile_.no_catalog, "");
  if (!lets_in(exchange, answer)) return;
  const bool paged = !profile_.catalog_link.empty();
  const bool first = !has(exchange.request.query, "last=");
  const auto middle = profile_.catalog.begin() + (paged ? 1 : static_cast<ptrdiff_t>(profile_.catalog.size()));
  answer = RawAnswer{};
  answer.set("Content-Type", profile_.list_type);
  answer.set_body(R"({"repositories":[)" +
                  (first ? in_json({profile_.catalog.begin(), middle}) : in_json({middle, profile_.catalog.end()})) +
                  "]}");
  if (paged && first) answer.set("Link", profile_.catalog_link);
}

}  // namespace regfs::test
