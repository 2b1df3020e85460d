// SPDX-License-Identifier: MIT
#include "tests/support/registry_profiles.h"

#include <algorithm>

#include "base/check.h"

namespace regfs::test {
namespace {

using Profile = RegistryProfile;

const std::string kAfterLast = R"(</v2/{repository}/tags/list?last={last}&n={page}>; rel="next")";
const std::string kBoth = R"({"token":"{token}","access_token":"{token}",)";
const std::string kText = "text/plain; charset=utf-8";

std::string error_of(const std::string& code, const std::string& message) {
  return R"({"errors":[{"code":")" + code + R"(","message":")" + message + R"("}]})";
}

ProfileRefusal unknown_name(const std::string& message) {
  return {404, error_of("NAME_UNKNOWN", message)};
}

// The catalog is challenged for, and the token that answers is not enough.
ProfileRefusal catalog_not_for_all(const std::string& realm_and_service) {
  return {401, error_of("UNAUTHORIZED", "authentication required"), "application/json",
          "Bearer " + realm_and_service + R"(,scope="registry:catalog:*",error="insufficient_scope")"};
}

Profile docker_hub() {
  const std::string bearer = R"(realm="http://{realm}/token",service="registry.docker.io")";
  return {.name = "hub",
          .challenge = "Bearer " + bearer + R"(,scope="repository:{repository}:pull")",
          .token_path = "/token",
          .realm_elsewhere = true,
          .service = "registry.docker.io",
          .token_answer = kBoth + R"("expires_in":300,"issued_at":"2021-04-28T13:05:30.289632369Z"})",
          .login = {"ann", "dckr_pat_of-ann"},
          .denied = {401, R"({"details":"incorrect username or password"})", "application/json", "", true},
          .missing = {401,
                      R"({"errors":[{"code":"UNAUTHORIZED","message":"authentication required",)"
                      R"("detail":[{"Type":"repository","Class":"","Name":"{repository}","Action":"pull"}]}]})",
                      "application/json",
                      "Bearer " + bearer + R"(,scope="repository:{repository}:pull",error="insufficient_scope")"},
          .redirect = 307,
          .headers = {{"ratelimit-limit", "100;w=21600"},
                      {"ratelimit-remaining", "76;w=21600"},
                      {"docker-ratelimit-source", "192.0.2.1"}},
          .no_catalog = catalog_not_for_all(bearer)};
}

Profile ghcr() {
  return {
      .name = "ghcr",
      .challenge = R"(Bearer realm="http://{realm}/token",service="ghcr.io",scope="repository:user/image:pull")",
      .token_path = "/token",
      .service = "ghcr.io",
      .login = {"ann", "ghp_of-ann"},
      .denied = {403, error_of("DENIED", "denied"), "application/json", "", true},
      .missing = {403, error_of("DENIED", "requested access to the resource is denied"), "application/json", "", true},
      .page = 3,
      .link = kAfterLast,
      .redirect = 307};
}

Profile gcr() {
  return {.name = "gcr",
          .challenge = R"(Bearer realm="http://{realm}/v2/token", service=gcr.io)",
          .token_path = "/v2/token",
          .service = "gcr.io",
          .token_answer = R"({"token":"{token}","expires_in":3600})",
          .login = {"_json_key", R"({"type":"service_account","private_key":"of-ann"})"},
          .denied = {401, error_of("UNAUTHORIZED", "authentication failed"), "application/json", "", true},
          .missing = unknown_name("Failed to compute blob liveness for manifest"),
          .expired = {401, error_of("UNAUTHORIZED", "No valid credential was supplied.")},
          .list_more = R"("child":["tool"],"manifest":{"sha256:0":{"imageSizeBytes":"123","mediaType":"",)"
                       R"("timeCreatedMs":"1562","timeUploadedMs":"1562","tag":["v1"]}},)",
          .children = {"tool"},
          .redirect = 302};
}

Profile artifact_registry() {
  return {
      .name = "ar",
      .challenge = R"(Bearer realm="http://{realm}/v2/token",service="pkg.dev",scope="repository:{repository}:pull")",
      .root_challenge = R"(Bearer realm="http://{realm}/v2/token")",
      .token_path = "/v2/token",
      .service = "pkg.dev",
      .token_answer = R"({"token":"{token}","expires_in":43200})",
      .login = {"oauth2accesstoken", "ya29.of-ann"},
      .denied = {401, "authentication failed", kText, "", true},
      .missing = {403,
                  error_of("DENIED",
                           "Unauthenticated request. Unauthenticated requests do not have permission "
                           R"(\"artifactregistry.repositories.downloadArtifacts\" on resource )"
                           R"(\"projects/p/locations/l/repositories/r\" (or it may not exist))"),
                  "application/json", "", true},
      .expired = {401, error_of("UNAUTHORIZED", "No valid credential was supplied.")},
      .one_component = {400, error_of("NAME_INVALID", "invalid number of path components: 1")},
      .redirect = 302};
}

Profile ecr() {
  return {.name = "ecr",
          .challenge = R"(Basic realm="http://{self}/",service="ecr.amazonaws.com")",
          .refusal = "Not Authorized\n",
          .login = {"AWS", "twelve-hours-of-ann"},
          .denied = {403, error_of("DENIED", "Your authorization token is invalid."), kText},
          .missing = {404, error_of("NAME_UNKNOWN", "The repository with name '{repository}' does not exist"), kText},
          .expired = {403, error_of("DENIED", "Your authorization token has expired. Reauthenticate and try again."),
                      kText},
          .list_type = kText,
          .page = 3,
          .link = R"(<http://{self}/v2/{repository}/tags/list?last=T1BBUVVF%2B{last}>; rel="next")",
          .digest_on = "HEAD",
          .redirect = 307,
          .catalog = {"team/app", "team/tool", "tools"}};
}

Profile ecr_public() {
  return {.name = "ecr-public",
          .challenge = R"(Bearer realm="http://{realm}/token/",service="public.ecr.aws",scope="aws")",
          .token_path = "/token/",
          .service = "public.ecr.aws",
          .scope = "aws",
          .login = {"AWS", "of-ann"},
          .denied = {403, error_of("DENIED", "Your Authorization Token is invalid."), "application/json", "", true},
          .missing = unknown_name("The repository with name '{repository}' does not exist"),
          .page = 3,
          .link = kAfterLast,
          .digest_on = "",
          .redirect = 307};
}

Profile quay() {
  const std::string bearer = R"(realm="http://{realm}/v2/auth",service="quay.io")";
  return {.name = "quay",
          .challenge = "Bearer " + bearer + R"(,scope="repository:{repository}:pull")",
          .token_path = "/v2/auth",
          .service = "quay.io",
          .login = {"acme+robot", "of-ann"},
          .denied = {401, R"({"error":"Could not find robot with username: acme+robot and supplied password."})",
                     "application/json", "", true},
          .missing = {401,
                      R"({"errors":[{"code":"UNAUTHORIZED","detail":{},)"
                      R"("message":"access to the requested resource is not authorized"}]})",
                      "application/json", "Bearer " + bearer + R"(,scope="repository:{repository}:pull")"},
          .page = 3,
          .link = R"(</v2/{repository}/tags/list?next_page=gAAAA{last}%3D&n=50>; rel="next")",
          .redirect = 302,
          .headers = {{"Cache-Control", "max-age=31536000"}},
          .no_catalog = catalog_not_for_all(bearer),
          .catalog_token = 400};
}

Profile harbor() {
  const std::string bearer = R"(realm="http://{realm}/service/token",service="harbor-registry")";
  const std::string unauthorized =
      error_of("UNAUTHORIZED", "unauthorized to access repository: {repository}, action: pull");
  return {.name = "harbor",
          .challenge = "Bearer " + bearer + R"(,scope="repository:{repository}:pull")",
          .token_path = "/service/token",
          .service = "harbor-registry",
          .token_answer = kBoth + R"("expires_in":1800,"issued_at":"2024-01-01T00:00:00Z"})",
          .login = {"robot$acme+ci", "of-ann"},
          .basic_too = true,
          .denied = {401, error_of("UNAUTHORIZED", "unauthorized"), "application/json", "", true},
          .missing = {404, error_of("UNKNOWN", "repository {repository} not found")},
          .expired = {401, unauthorized, "application/json", R"(Basic realm="harbor")"},
          .no_catalog = {401, unauthorized, "application/json", R"(Basic realm="harbor")"}};
}

Profile aliyun() {
  return {.name = "aliyun",
          .challenge = R"(Bearer realm="http://{realm}/auth",service="registry.aliyuncs.com:cn-shanghai:26842",)"
                       R"(scope="repository:{repository}:pull")",
          .token_path = "/auth",
          .realm_elsewhere = true,
          .service = "registry.aliyuncs.com:cn-shanghai:26842",
          .refusal = R"({"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":null}]})",
          .login = {"ann@tenant", "of-ann"},
          .denied = {401, error_of("UNAUTHORIZED", "authentication required"), "application/json", "", true},
          .missing = unknown_name("repository name not known to registry"),
          .page = 3,
          .link = kAfterLast,
          .redirect = 307};
}

Profile azure() {
  return {.name = "acr",
          .challenge =
              R"(Bearer realm="http://{realm}/oauth2/token",service="{self}",scope="repository:{repository}:pull")",
          .token_path = "/oauth2/token",
          .service = "{self}",
          .token_answer = R"({"access_token":"{token}"})",
          .login = {"00000000-0000-0000-0000-000000000000", "refresh-token-of-ann"},
          .wants_refresh_token = true,
          .denied = {401, error_of("UNAUTHORIZED", "authentication required, visit https://aka.ms/acr/authorization"),
                     "application/json", "", true},
          .missing = unknown_name("repository name not known to registry"),
          .page = 3,
          .link = R"(</v2/{repository}/tags/list?last={last}&n={page}&orderby=>; rel="next")",
          .redirect = 307,
          .catalog = {"team/app", "team/tool", "tools"},
          .catalog_link = R"(</v2/_catalog?last=team%2Fapp&n=1000&orderby=>; rel="next")"};
}

Profile gitlab() {
  const std::string bearer = R"(realm="http://{realm}/jwt/auth",service="container_registry")";
  return {.name = "gitlab",
          .challenge = "Bearer " + bearer + R"(,scope="repository:{repository}:pull")",
          .token_path = "/jwt/auth",
          .realm_elsewhere = true,
          .service = "container_registry",
          .token_answer = R"({"token":"{token}","expires_in":300})",
          .login = {"gitlab+deploy-token-1", "gldt-of-ann"},
          .denied = {403, error_of("DENIED", "access forbidden"), "application/json", "", true},
          .missing = {403, error_of("DENIED", "access forbidden"), "application/json", "", true},
          .page = 3,
          .link = kAfterLast,
          .redirect = 307,
          .no_catalog = catalog_not_for_all(bearer)};
}

Profile artifactory() {
  const std::string bearer = R"(Bearer realm="http://{realm}/artifactory/api/docker/hub/v2/token",service="{self}")";
  return {.name = "jfrog",
          .challenge = bearer,
          .get_challenge = bearer + R"(,scope="repository:{repository}:pull")",
          .token_path = "/artifactory/api/docker/hub/v2/token",
          .service = "{self}",
          .refusal = R"({"errors":[{"status":401,"message":"authentication required"}]})",
          .login = {"ann", "AKCp8-of-ann"},
          .denied = {401, R"({"errors":[{"status":401,"message":"Bad props auth token"}]})",
                     "application/json;charset=ISO-8859-1", "", true},
          .missing = {404, R"({"errors":[{"status":404,"message":"Repository {repository} not found"}]})",
                      "application/json;charset=ISO-8859-1"},
          .list_type = "application/json;charset=ISO-8859-1",
          .page = 3,
          .link = kAfterLast,
          .list_junk = R"("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",)",
          .redirect = 302,
          .catalog = {"team/app", "team/tool", "tools"}};
}

Profile distribution() {
  return {.name = "distribution",
          .login = {"ann", "htpasswd-of-ann"},
          .denied = {401, error_of("UNAUTHORIZED", "authentication required"), "application/json",
                     R"(Basic realm="basic-realm")"},
          .missing = {404, R"({"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry",)"
                           R"("detail":{"name":"{repository}"}}]})"},
          .catalog = {"team/app", "team/tool", "tools"},
          .catalog_link = R"(</v2/_catalog?last=team%2Fapp&n=1000>; rel="next")"};
}

Profile pull_through() {
  return {.name = "pull-through",
          .missing = unknown_name("repository name not known to registry"),
          .ranges_when_cold = false,
          .headers = {{"Etag", "sha256:unquoted"}},
          .no_catalog = {200, R"({"repositories":[]})"}};
}

Profile plain() {
  const std::string page = "<!DOCTYPE html><html><head><title>404 Not Found</title></head></html>\n";
  return {.name = "plain",
          .missing = {404, page, "text/html"},
          .digest_on = "",
          .head_status = 405,
          .ranges = false,
          .chunked = true,
          .no_catalog = {404, page, "text/html"}};
}

}  // namespace

const std::vector<RegistryProfile>& registry_profiles() {
  static const std::vector<RegistryProfile> profiles{
      docker_hub(), ghcr(),  gcr(),    artifact_registry(), ecr(),          ecr_public(),   quay(), harbor(),
      aliyun(),     azure(), gitlab(), artifactory(),       distribution(), pull_through(), plain()};
  return profiles;
}

const RegistryProfile& registry_profile(const std::string& name) {
  const std::vector<RegistryProfile>& all = registry_profiles();
  const auto found = std::find_if(all.begin(), all.end(), [&name](const auto& each) { return each.name == name; });
  REGFS_CHECK(found != all.end(), "no registry of that name is imitated");
  return *found;
}

}  // namespace regfs::test
