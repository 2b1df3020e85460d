// SPDX-License-Identifier: MIT
#include "tests/support/registry_imitation.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace regfs::test {
namespace {

constexpr const char* kToken = "imitated.token";
constexpr const char* kSignature = "X-Signature=a%2Fb%3D%3D";
constexpr const char* kBasic = "Basic QVdTOnR3ZWx2ZS1ob3Vycw==";  // of RegistryImitation::kLogin

constexpr std::array<const char*, 2> kRepositories = {"team/app", "team"};  // that exist, and that are asked for

void replace_all(std::string& text, const std::string& word, const std::string& by) {
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + by.size())) {
    text.replace(at, word.size(), by);
  }
}

std::string percent_encoded(const std::string& text) {
  constexpr const char* kDigits = "0123456789ABCDEF";
  std::string out;
  for (const unsigned char letter : text) {
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

void refuse(RawAnswer& answer, int status, const std::string& type, const std::string& body) {
  answer = RawAnswer{.line = "HTTP/1.1 " + std::to_string(status) + " Refused"};
  answer.set("Content-Type", type).set_body(body);
}

}  // namespace

const std::vector<RegistryProfile>& registry_profiles() {
  static const std::string kAfterLast = R"(</v2/{repository}/tags/list?last={last}&n={page}>; rel="next")";
  static const std::string kBoth = R"({"token":"{token}","access_token":"{token}",)";
  static const std::vector<RegistryProfile> profiles{
      {.name = "hub",
       .challenge =
           R"(Bearer realm="http://{realm}/token",service="registry.docker.io",scope="repository:{repository}:pull")",
       .token_path = "/token",
       .realm_elsewhere = true,
       .service = "registry.docker.io",
       .token_answer = kBoth + R"("expires_in":300,"issued_at":"2021-04-28T13:05:30.289632369Z"})",
       .redirect = 307,
       .headers = {{"ratelimit-limit", "100;w=21600"}, {"ratelimit-remaining", "76;w=21600"}}},
      {.name = "ghcr",
       .challenge = R"(Bearer realm="http://{realm}/token",service="ghcr.io",scope="repository:user/image:pull")",
       .token_path = "/token",
       .service = "ghcr.io",
       .page = 3,
       .link = kAfterLast,
       .redirect = 307},
      {.name = "gcr",
       .challenge = R"(Bearer realm="http://{realm}/v2/token", service=gcr.io)",
       .token_path = "/v2/token",
       .service = "gcr.io",
       .token_answer = R"({"token":"{token}","expires_in":3600})",
       .list_more = R"("child":[],"manifest":{"sha256:0":{"imageSizeBytes":"123","tag":["v1"]}},)",
       .redirect = 302},
      {.name = "ar",
       .challenge = R"(Bearer realm="http://{realm}/v2/token",service="pkg.dev",scope="repository:{repository}:pull")",
       .root_challenge = R"(Bearer realm="http://{realm}/v2/token")",
       .token_path = "/v2/token",
       .service = "pkg.dev",
       .token_answer = R"({"token":"{token}","expires_in":43200})",
       .redirect = 302},
      {.name = "ecr",
       .challenge = R"(Basic realm="http://{self}/",service="ecr.amazonaws.com")",
       .refusal = "Not Authorized\n",
       .list_type = "text/plain; charset=utf-8",
       .page = 3,
       .link = R"(<http://{self}/v2/{repository}/tags/list?last=T1BBUVVF%2B{last}>; rel="next")",
       .digest_on = "HEAD",
       .redirect = 307},
      {.name = "ecr-public",
       .challenge = R"(Bearer realm="http://{realm}/token/",service="public.ecr.aws",scope="aws")",
       .token_path = "/token/",
       .service = "public.ecr.aws",
       .scope = "aws",
       .page = 3,
       .link = kAfterLast,
       .digest_on = "",
       .redirect = 307},
      {.name = "quay",
       .challenge = R"(Bearer realm="http://{realm}/v2/auth",service="quay.io",scope="repository:{repository}:pull")",
       .token_path = "/v2/auth",
       .service = "quay.io",
       .page = 3,
       .link = R"(</v2/{repository}/tags/list?next_page=gAAAA{last}%3D&n=50>; rel="next")",
       .redirect = 302,
       .headers = {{"Cache-Control", "max-age=31536000"}}},
      {.name = "harbor",
       .challenge =
           R"(Bearer realm="http://{realm}/service/token",service="harbor-registry",scope="repository:{repository}:pull")",
       .token_path = "/service/token",
       .service = "harbor-registry",
       .token_answer = kBoth + R"("expires_in":1800,"issued_at":"2024-01-01T00:00:00Z"})"},
      {.name = "aliyun",
       .challenge = R"(Bearer realm="http://{realm}/auth",service="registry.aliyuncs.com:cn-shanghai:26842",)"
                    R"(scope="repository:{repository}:pull")",
       .token_path = "/auth",
       .realm_elsewhere = true,
       .service = "registry.aliyuncs.com:cn-shanghai:26842",
       .refusal = R"({"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":null}]})",
       .page = 3,
       .link = kAfterLast,
       .redirect = 307},
      {.name = "acr",
       .challenge =
           R"(Bearer realm="http://{realm}/oauth2/token",service="{self}",scope="repository:{repository}:pull")",
       .token_path = "/oauth2/token",
       .service = "{self}",
       .token_answer = R"({"access_token":"{token}"})",
       .page = 3,
       .link = R"(</v2/{repository}/tags/list?last={last}&n={page}&orderby=>; rel="next")",
       .redirect = 307},
      {.name = "gitlab",
       .challenge =
           R"(Bearer realm="http://{realm}/jwt/auth",service="container_registry",scope="repository:{repository}:pull")",
       .token_path = "/jwt/auth",
       .realm_elsewhere = true,
       .service = "container_registry",
       .page = 3,
       .link = kAfterLast,
       .redirect = 307},
      {.name = "jfrog",
       .challenge = R"(Bearer realm="http://{realm}/artifactory/api/docker/hub/v2/token",service="{self}")",
       .token_path = "/artifactory/api/docker/hub/v2/token",
       .service = "{self}",
       .refusal = R"({"errors":[{"status":401,"message":"authentication required"}]})",
       .list_type = "application/json;charset=ISO-8859-1",
       .page = 3,
       .link = kAfterLast,
       .redirect = 302},
      {.name = "distribution"},
      {.name = "pull-through", .ranges = false, .headers = {{"Etag", "sha256:unquoted"}}},
      {.name = "plain", .digest_on = "", .head_status = 405, .ranges = false},
  };
  return profiles;
}

RegistryImitation::RegistryImitation(RegistryProfile profile) : profile_(std::move(profile)) {
  store_.break_path("/*", rewrites([this](const ScriptedExchange& exchange, RawAnswer& sent) {
                      if (!give_token(exchange, sent)) answer_from_store(exchange, sent);
                    }));
  registry_.break_path("/*", rewrites([this](const ScriptedExchange& exchange, RawAnswer& sent) {
                         if (!give_token(exchange, sent)) answer(exchange, sent);
                       }));
}

void RegistryImitation::push(const std::string& repository, const std::string& tag, const SampleImage& image) {
  registry_.push(repository, tag, image);
  store_.push(repository, tag, image);
}

void RegistryImitation::list_tags(std::vector<std::string> tags) {
  MutexLock lock(mutex_);
  tags_ = std::move(tags);
}

size_t RegistryImitation::token_requests() const {
  if (profile_.token_path.empty()) return 0;
  return registry_.journal().count("", profile_.token_path) + store_.journal().count("", profile_.token_path);
}

std::vector<std::string> RegistryImitation::complaints() const {
  MutexLock lock(mutex_);
  return complaints_;
}

void RegistryImitation::complain(const std::string& of) {
  MutexLock lock(mutex_);
  complaints_.push_back(of);
}

std::string RegistryImitation::filled(std::string text, const std::string& repository) const {
  replace_all(text, "{self}", registry_.host());
  replace_all(text, "{realm}", profile_.realm_elsewhere ? store_.host() : registry_.host());
  replace_all(text, "{repository}", repository);
  replace_all(text, "{token}", kToken);
  return text;
}

bool RegistryImitation::give_token(const ScriptedExchange& exchange, RawAnswer& answer) {
  if (profile_.token_path.empty() || exchange.request.path != profile_.token_path) return false;
  const std::string query = "&" + exchange.request.query + "&";
  const std::string service = "&service=" + percent_encoded(filled(profile_.service, "")) + "&";
  // Whoever comes by a path of directories asks of each whether it is a tag of the one above.
  const bool good_scope = std::any_of(kRepositories.begin(), kRepositories.end(), [&](const char* repository) {
    return has(query, "&scope=" + percent_encoded(filled(profile_.scope, repository)) + "&");
  });
  if (!has(query, service) || !good_scope) complain("a token asked for with " + query);
  answer = RawAnswer{};
  answer.set("Content-Type", "application/json").set_body(filled(profile_.token_answer, ""));
  return true;
}

bool RegistryImitation::lets_in(const ScriptedExchange& exchange, RawAnswer& answer) {
  if (profile_.challenge.empty()) return true;
  const std::string shown = header(exchange, "authorization");
  const std::string bearer = std::string("Bearer ").append(kToken);
  if (shown == (profile_.token_path.empty() ? std::string(kBasic) : bearer)) return true;
  if (!shown.empty()) complain("shown another credential than its own: " + shown);
  const std::string repository = repository_in(exchange.request.path);
  const bool root = repository.empty() && !profile_.root_challenge.empty();
  refuse(answer, 401, profile_.list_type, profile_.refusal);
  answer.set("WWW-Authenticate", filled(root ? profile_.root_challenge : profile_.challenge, repository));
  return false;
}

void RegistryImitation::answer(const ScriptedExchange& exchange, RawAnswer& answer) {
  const std::string& path = exchange.request.path;
  if (path == "/v2/_catalog") return refuse(answer, 404, "text/plain", "404 page not found\n");
  if (!lets_in(exchange, answer)) return;
  if (has(path, "/blobs/") && profile_.redirect != 0) {
    answer = RawAnswer{.line = "HTTP/1.1 " + std::to_string(profile_.redirect) + " Elsewhere"};
    answer.set("Location", "http://" + store_.host() + path + "?" + kSignature).set_body("");
  } else if (has(path, "/blobs/")) {
    if (!profile_.ranges) answer = whole_answer(exchange);
  } else if (has(path, "/tags/list")) {
    list(exchange, answer);
  } else if (has(path, "/manifests/")) {
    if (!has(profile_.digest_on, exchange.request.method)) answer.remove("Docker-Content-Digest");
    if (exchange.request.method == "HEAD" && profile_.head_status != 200) {
      refuse(answer, profile_.head_status, "text/html", "");
    }
  }
  for (const auto& [name, value] : profile_.headers) answer.add(name, value);
}

// As object storage behind signed URLs does it.
void RegistryImitation::answer_from_store(const ScriptedExchange& exchange, RawAnswer& answer) {
  if (!header(exchange, "authorization").empty()) {
    complain("a credential shown to the store");
    return refuse(answer, 400, "application/xml", "<Error><Code>InvalidArgument</Code></Error>");
  }
  if (exchange.request.method != "GET" || exchange.request.query != kSignature) {
    complain("the store asked by " + exchange.request.method + " with " + exchange.request.query);
    return refuse(answer, 403, "application/xml", "<Error><Code>SignatureDoesNotMatch</Code></Error>");
  }
  answer.remove("Docker-Content-Digest").remove("Accept-Ranges");
}

void RegistryImitation::list(const ScriptedExchange& exchange, RawAnswer& answer) {
  const std::string& query = exchange.request.query;
  const bool first = !has(query, "last=") && !has(query, "next_page=");
  if (first && !query.empty()) complain("a first page of tags asked for with " + query);
  MutexLock lock(mutex_);
  // Where the page before ended: the last tag of it stands in every cursor.
  auto begin = tags_.begin();
  for (auto tag = tags_.begin(); !first && tag != tags_.end(); ++tag) {
    if (has(query, *tag)) begin = tag + 1;
  }
  const auto rest = static_cast<size_t>(tags_.end() - begin);
  const auto end = begin + static_cast<ptrdiff_t>(profile_.page == 0 ? rest : std::min(profile_.page, rest));
  std::string names;
  for (auto tag = begin; tag != end; ++tag) names += (names.empty() ? "\"" : ",\"") + *tag + "\"";
  const std::string repository = repository_in(exchange.request.path);
  answer = RawAnswer{};
  answer.set("Content-Type", profile_.list_type);
  answer.set_body("{" + profile_.list_more + "\"name\":\"" + repository + "\",\"tags\":[" + names + "]}");
  if (end == tags_.end()) return;
  std::string link = filled(profile_.link, repository);
  replace_all(link, "{last}", *(end - 1));
  replace_all(link, "{page}", std::to_string(profile_.page));
  answer.set("Link", link);
}

}  // namespace regfs::test
