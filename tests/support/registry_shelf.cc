// SPDX-License-Identifier: MIT
#include "tests/support/registry_shelf.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/sha256.h"

namespace regfs::test {
namespace {

using Json = nlohmann::ordered_json;

// For tests ask for what they put: a byte that is no UTF-8 must not end the server.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) {
      return std::string(pair.substr(name.size() + 1));
    }
  }
  return std::nullopt;
}

// REPOSITORY and what is behind the word, from /v2/REPOSITORY<word>REST.
std::optional<std::pair<std::string, std::string>> split_path(const std::string& path, std::string_view word) {
  constexpr std::string_view kPrefix = "/v2/";
  const size_t at = path.rfind(word);
  if (at == std::string::npos || at < kPrefix.size()) return std::nullopt;
  return std::pair(path.substr(kPrefix.size(), at - kPrefix.size()), path.substr(at + word.size()));
}

}  // namespace

RegistryAnswer error_answer(int status, const std::string& code, const std::string& message) {
  const Json body = {{"errors", {{{"code", code}, {"message", message}}}}};
  return {status, {{"Content-Type", "application/json"}}, kept_bytes(dump(body))};
}

void RegistryShelf::put_manifest(const std::string& repository, const std::string& tag, const std::string& media_type,
                                 const std::string& body) {
  const Document document{media_type, sha256_of(body), kept_bytes(body)};
  auto& documents = repositories_[repository].documents;
  documents.insert_or_assign(document.digest.str(), document);
  if (!tag.empty()) documents.insert_or_assign(tag, document);
}

void RegistryShelf::put_manifest_as(const std::string& repository, const Digest& digest, const std::string& media_type,
                                    const std::string& body) {
  repositories_[repository].documents.insert_or_assign(digest.str(), Document{media_type, digest, kept_bytes(body)});
}

void RegistryShelf::drop_tag(const std::string& repository, const std::string& tag) {
  repositories_[repository].documents.erase(tag);
}

void RegistryShelf::put_blob(const Digest& digest, ContentPtr content) {
  blobs_.insert_or_assign(digest.str(), std::move(content));
}

void RegistryShelf::list_names(const std::string& repository, const std::vector<std::string>& names) {
  auto& listed = repositories_[repository].names;
  listed.insert(listed.end(), names.begin(), names.end());
}

RegistryAnswer RegistryShelf::answer(const HttpServerRequest& request) const {
  if (request.method != "GET" && request.method != "HEAD") return error_answer(405, "UNSUPPORTED", "read only");
  if (request.path == "/v2/" || request.path == "/v2") {
    return {200, {{"Content-Type", "application/json"}}, kept_bytes("{}")};
  }
  if (const auto parts = split_path(request.path, "/manifests/")) return manifest(parts->first, parts->second);
  if (const auto parts = split_path(request.path, "/blobs/")) return blob(parts->first, parts->second);
  if (const auto parts = split_path(request.path, "/tags/list"); parts && parts->second.empty()) {
    return tags(parts->first, request.query);
  }
  return error_answer(404, "NOT_FOUND", "no such page");
}

RegistryAnswer RegistryShelf::manifest(const std::string& repository, const std::string& target) const {
  const auto stored = repositories_.find(repository);
  if (stored == repositories_.end()) return error_answer(404, "NAME_UNKNOWN", "repository name not known to registry");
  const auto document = stored->second.documents.find(target);
  if (document == stored->second.documents.end()) return error_answer(404, "MANIFEST_UNKNOWN", "manifest unknown");
  return {200,
          {{"Content-Type", document->second.media_type}, {"Docker-Content-Digest", document->second.digest.str()}},
          document->second.body};
}

RegistryAnswer RegistryShelf::blob(const std::string& repository, const std::string& digest) const {
  const auto content = blobs_.find(digest);
  if (!repositories_.contains(repository) || content == blobs_.end()) {
    return error_answer(404, "BLOB_UNKNOWN", "blob unknown to registry");
  }
  return {200,
          {{"Content-Type", "application/octet-stream"}, {"Docker-Content-Digest", digest}, {"Accept-Ranges", "bytes"}},
          content->second};
}

RegistryAnswer RegistryShelf::tags(const std::string& repository, const std::string& query) const {
  const auto stored = repositories_.find(repository);
  if (stored == repositories_.end()) return error_answer(404, "NAME_UNKNOWN", "repository name not known to registry");
  std::vector<std::string> names = stored->second.names;
  for (const auto& [target, document] : stored->second.documents) {
    if (!target.starts_with("sha256:")) names.push_back(target);
  }
  std::sort(names.begin(), names.end());

  size_t page = page_size_;
  if (const auto wanted = query_value(query, "n")) page = std::min<size_t>(page, std::stoul(*wanted));
  const std::string last = query_value(query, "last").value_or("");
  const auto begin = last.empty() ? names.begin() : std::upper_bound(names.begin(), names.end(), last);
  const auto end = begin + std::min<ptrdiff_t>(static_cast<ptrdiff_t>(page), names.end() - begin);

  RegistryAnswer answer;
  answer.headers.emplace_back("Content-Type", "application/json");
  if (end != names.end() && end != begin) {
    answer.headers.emplace_back("Link", "<" + link_base_ + "/v2/" + repository + "/tags/list?last=" + *(end - 1) +
                                            "&n=" + std::to_string(page) + ">; rel=\"next\"");
  }
  answer.body = kept_bytes(dump({{"name", repository}, {"tags", std::vector<std::string>(begin, end)}}));
  return answer;
}

}  // namespace regfs::test
