// SPDX-License-Identifier: MIT
// The catalog of a registry, which names.h declares: what it has of repositories, as far as it says.
#include <algorithm>
#include <unordered_set>

#include "registry/names.h"
#include "registry/tag_page.h"

namespace regfs::registry {
namespace {

// Those that are known to show none to users, and Google's, whose tag lists say what is below.
bool may_have_catalog(std::string_view host) {
  for (std::string_view none : {"docker.io", "ghcr.io", "quay.io", "registry.gitlab.com", "public.ecr.aws", "gcr.io",
                                "registry.k8s.io", "mcr.microsoft.com"}) {
    if (host == none) return false;
  }
  return !host.ends_with(".gcr.io") && !host.ends_with(".pkg.dev") && !host.ends_with(".aliyuncs.com");
}

}  // namespace

Result<Catalog> Names::catalog(const std::string& host, std::chrono::milliseconds at_most) {
  if (!may_have_catalog(host)) return Error(Errc::unsupported, host + " is known to show no catalog: not asked");
  const Monotonic::time_point end = clock_.now() + at_most;
  Question question;
  question.repository = {host, std::string(kCatalogName)};
  question.what = host + "/_catalog";
  // More than 1,000 are refused by some.
  question.path = "/v2/_catalog?n=1000";
  question.accept = "application/json";
  question.decode_content = true;
  question.once = true;

  Catalog catalog;
  std::unordered_set<std::string> asked;
  size_t bytes = 0;
  size_t skipped = 0;
  bool more = true;
  while (more && asked.size() < kMaxCatalogPages && catalog.repositories.size() < kMaxCatalogNames &&
         clock_.now() < end && asked.insert(question.path).second) {
    const bool first = asked.size() == 1;
    question.body_limit = kMaxCatalogBytes - bytes;
    question.at_most =
        std::max(std::chrono::milliseconds(1), std::chrono::ceil<std::chrono::milliseconds>(end - clock_.now()));
    Result<Reply> reply = exchange_.ask(question);
    if (!reply && first) return reply.error();
    if (!reply || reply->cut) break;
    if (!reply->ok() && first) return refused(question, *reply);
    Result<CatalogPage> page = parse_catalog_page(reply->body, host);
    if (!page && first) return page.error().while_doing(question.what);
    if (!reply->ok() || !page) break;
    bytes += reply->body.size();
    skipped += page->skipped;
    for (std::string& name : page->repositories) catalog.repositories.push_back(std::move(name));
    Result<std::optional<std::string>> next = next_page(question, *reply);
    if (!next) break;
    more = next->has_value();
    if (more) question.path = **next;
  }
  const bool too_many = catalog.repositories.size() > kMaxCatalogNames;
  if (too_many) catalog.repositories.resize(kMaxCatalogNames);
  catalog.complete = !more && skipped == 0 && !too_many;
  if (log_.debugs()) {
    log_.debug(question.what + ": " + std::to_string(catalog.repositories.size()) + " repositories, " +
               std::to_string(skipped) + " names that are none" + (catalog.complete ? "" : ", and maybe more"));
  }
  return catalog;
}

}  // namespace regfs::registry
