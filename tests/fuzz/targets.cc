// SPDX-License-Identifier: MIT
#include "tests/fuzz/targets.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "registry/base64.h"
#include "registry/challenge.h"
#include "registry/credential_file.h"
#include "registry/credential_helper.h"
#include "registry/error_body.h"
#include "registry/link.h"
#include "registry/reference.h"
#include "registry/tag_page.h"
#include "registry/token_answer.h"
#include "registry/url.h"

namespace regfs::fuzz {
namespace {

using namespace registry;

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// Lines are headers of one answer.
std::vector<std::string> lines_of(std::string_view bytes) {
  std::vector<std::string> lines;
  while (true) {
    const size_t end = bytes.find('\n');
    lines.emplace_back(bytes.substr(0, end));
    if (end == std::string_view::npos) return lines;
    bytes.remove_prefix(end + 1);
  }
}

void challenge(std::string_view bytes) {
  for (const Challenge& one : parse_challenges(lines_of(bytes))) {
    REGFS_CHECK(!one.scheme.empty(), "a challenge without a scheme");
    for (const auto& [name, value] : one.parameters) {
      REGFS_CHECK(!name.empty() && !has_control(value), "a parameter that would end up in a URL");
    }
  }
}

void link(std::string_view bytes) {
  Result<std::optional<std::string>> next = next_link(lines_of(bytes));
  if (!next || !next->has_value()) return;
  REGFS_CHECK(!(*next)->empty() && !has_control(**next), "a link with control characters");
  std::optional<std::string> url = resolve_url("https://reg.example/v2/a/tags/list?n=1", **next);
  REGFS_CHECK(!url || origin_of(*url), "a resolved link that is no URL");
}

void reference(std::string_view bytes) {
  Result<Reference> parsed = parse_reference(bytes);
  if (!parsed) return;
  REGFS_CHECK(is_registry_host(parsed->repository.host), "a reference to no host");
  Result<Reference> again = parse_reference(parsed->str());
  REGFS_CHECK(again && *again == *parsed, "a reference that does not read as it is written");
}

void ask(const CredentialFile& file) {
  for (const Repository& repository : {Repository{"docker.io", "library/nginx"}, Repository{"ghcr.io", "acme/api"},
                                       Repository{"localhost:5000", "a/b/c/d"}}) {
    std::optional<HelperCall> helper = file.helper_for(repository);
    REGFS_CHECK(!helper || helper->name.find('/') == std::string::npos, "a helper that is a path");
    std::optional<Credential> entry = file.entry_for(repository);
    REGFS_CHECK(!entry || entry->has_password() || !entry->identity_token.empty() || !entry->registry_token.empty(),
                "a credential of nothing");
  }
}

void credential_file(std::string_view bytes) {
  for (auto layout : {CredentialFile::Layout::current, CredentialFile::Layout::flat}) {
    Result<CredentialFile> file = CredentialFile::parse(bytes, "config.json", layout);
    if (file) ask(*file);
  }
}

void helper_answer(std::string_view bytes) {
  Result<std::optional<Credential>> answer = parse_helper_answer(bytes, "docker-credential-test");
  if (!answer) return;
  REGFS_CHECK(answer->has_value(), "an answer of nobody from a helper that knows");
}

void token_answer(std::string_view bytes) {
  Result<TokenAnswer> answer = parse_token_answer(bytes);
  if (!answer) return;
  const std::string& token = answer->token.reveal();
  REGFS_CHECK(!token.empty() && !has_control(token), "a token that would break a header");
  REGFS_CHECK(answer->expires_in >= kShortestTokenLife && answer->expires_in <= kLongestTokenLife,
              "a life out of bounds");
}

void base64(std::string_view bytes) {
  REGFS_CHECK(from_base64(to_base64(bytes)) == bytes, "base64 that does not come back");
  std::optional<std::string> decoded = from_base64(bytes);
  REGFS_CHECK(!decoded || decoded->size() <= bytes.size(), "base64 that grows");
}

void list_page(std::string_view bytes) {
  if (Result<TagPage> page = parse_tag_page(bytes)) {
    REGFS_CHECK(std::all_of(page->tags.begin(), page->tags.end(), is_tag), "a tag that is none");
    REGFS_CHECK(std::all_of(page->children.begin(), page->children.end(), is_repository_component),
                "a child that is no component");
    REGFS_CHECK(page->tags.size() + page->children.size() + page->skipped == page->listed, "an entry that is lost");
  }
  if (Result<CatalogPage> page = parse_catalog_page(bytes, "reg.example")) {
    REGFS_CHECK(std::all_of(page->repositories.begin(), page->repositories.end(),
                            [](const std::string& name) { return make_repository("reg.example", name).has_value(); }),
                "a repository that is none");
  }
}

void error_body(std::string_view bytes) {
  const std::string words = describe_error_body(bytes);
  REGFS_CHECK(words.size() <= kMaxErrorSentenceBytes && !has_control(words), "words that do not fit a line");
}

constexpr Target kTargets[] = {{"challenge", challenge},
                               {"link", link},
                               {"reference", reference},
                               {"credential_file", credential_file},
                               {"helper_answer", helper_answer},
                               {"token_answer", token_answer},
                               {"base64", base64},
                               {"list_page", list_page},
                               {"error_body", error_body}};

}  // namespace

std::span<const Target> targets() {
  return kTargets;
}

}  // namespace regfs::fuzz
