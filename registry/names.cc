// SPDX-License-Identifier: MIT
#include "registry/names.h"

#include <unordered_set>

#include "base/sha256.h"
#include "registry/challenge.h"
#include "registry/link.h"
#include "registry/tag_page.h"
#include "registry/url.h"

namespace regfs::registry {
namespace {

Question manifest_question(const Reference& reference) {
  Question question;
  question.repository = reference.repository;
  question.what = reference.str();
  question.path = "/v2/" + reference.repository.name + "/manifests/" + reference.target_str();
  for (std::string_view type : {kOciIndex, kDockerManifestList, kOciManifest, kDockerManifest}) {
    if (!question.accept.empty()) question.accept += ", ";
    question.accept += type;
  }
  return question;
}

std::optional<Digest> digest_hint(const Reply& reply) {
  std::optional<std::string> header = reply.head.headers.first("Docker-Content-Digest");
  if (!header) return std::nullopt;
  Result<Digest> digest = Digest::parse(*header);
  if (!digest) return std::nullopt;
  return *digest;
}

// What says of a whole list that there is none says of a later page only that it failed: a repository that has a
// first page exists.
Error refused_page(const Question& question, const Reply& reply, bool is_first) {
  Error error = refused(question, reply);
  bool denies_list = error.is(Errc::not_found) || error.is(Errc::unsupported);
  if (is_first || !denies_list) return error;
  return Error{Errc::bad_response, error.context()}.while_doing("a later page of the tag list");
}

// Gathers pages, each within what is left of the list's bounds.
class TagPages {
 public:
  explicit TagPages(std::string what) : what_(std::move(what)) {}

  size_t room_bytes() const { return kMaxTagListBytes - bytes_; }
  size_t skipped() const { return skipped_; }

  Result<void> add(const Reply& reply) {
    if (reply.cut) return too_long("64 MiB");
    bytes_ += reply.body.size();
    Result<TagPage> page = parse_tag_page(reply.body);
    if (!page) return page.error().while_doing("the tag list of " + what_ + " from " + reply.answered_by);
    skipped_ += page->skipped;
    listed_ += page->listed;
    for (std::string& tag : page->tags) {
      if (seen_.insert(tag).second) list_.tags.push_back(std::move(tag));
    }
    for (std::string& child : page->children) {
      if (seen_children_.insert(child).second) list_.children.push_back(std::move(child));
    }
    if (listed_ > kMaxTags) return too_long("500,000 names");
    if (++pages_ > kMaxTagPages) return too_long("2,000 pages");
    return {};
  }
  TagList take() { return std::move(list_); }

 private:
  Error too_long(const std::string& bound) const {
    return {Errc::too_large, "the tag list of " + what_ + " is over " + bound};
  }

  const std::string what_;
  TagList list_;
  std::unordered_set<std::string> seen_;
  std::unordered_set<std::string> seen_children_;
  size_t bytes_ = 0;
  size_t pages_ = 0;
  size_t listed_ = 0;
  size_t skipped_ = 0;
};

}  // namespace

Result<std::optional<std::string>> Names::next_page(const Question& question, const Reply& reply) {
  Result<std::optional<std::string>> next = next_link(reply.head.headers.all("Link"));
  if (!next) return next.error().while_doing("the list of " + question.what);
  const std::optional<std::string>& link = *next;
  if (!link) return std::optional<std::string>();
  std::optional<std::string> url = resolve_url(reply.asked_url, *link);
  std::optional<Origin> origin = origin_of(reply.asked_url);
  if (!url || origin_of(*url) != origin) {
    return Error{Errc::bad_response, "the list of " + question.what + " goes on at another host (" +
                                         redacted(url.value_or(*link)) + "): refused"};
  }
  size_t path = url->find('/', url->find("://") + 3);
  return std::optional<std::string>(path == std::string::npos ? "/" : url->substr(path));
}

Result<TagList> Names::tags(const Repository& repository) {
  Question question;
  question.repository = repository;
  question.what = repository.str();
  question.path = "/v2/" + repository.name + "/tags/list";
  question.accept = "application/json";
  question.decode_content = true;
  TagPages list(repository.str());
  std::unordered_set<std::string> asked;
  while (asked.insert(question.path).second) {
    question.body_limit = list.room_bytes();
    Result<Reply> reply = exchange_.ask(question);
    if (!reply) return reply.error().while_doing("listing tags");
    if (!reply->ok()) return refused_page(question, *reply, asked.size() == 1);
    if (Result<void> added = list.add(*reply); !added) return added.error();
    Result<std::optional<std::string>> next = next_page(question, *reply);
    if (!next) return next.error();
    if (!next->has_value()) break;
    question.path = **next;
  }
  if (list.skipped() > 0) {
    log_.warning(repository.str() + ": " + std::to_string(list.skipped()) + " names in the tag list are no tags");
  }
  return list.take();
}

Result<ManifestHead> Names::head_manifest(const Reference& reference) {
  Question question = manifest_question(reference);
  question.method = "HEAD";
  Result<Reply> reply = exchange_.ask(question);
  // 405 and 501: no HEAD here. 400 and 429 are refusals in words, and the answer to a HEAD has none. So are 401 and
  // 403.
  const int status = reply ? reply->head.status : 0;
  if (status == 405 || status == 501 || status == 400 || status == 429) {
    question.method = "GET";
    question.once = status == 429;
    question.body_limit = kMaxManifestBytes;
    reply = exchange_.ask(question);
  }
  if (!reply) return reply.error();
  if (is_challenge(status)) reply = with_words(question, *std::move(reply));
  if (!reply->ok()) return refused(question, *reply);
  return ManifestHead{digest_hint(*reply), reply->media_type()};
}

// A HEAD is refused without a body. Whoever says in the challenge what is wrong (Docker Hub, of what does not exist) is
// not asked again; others are once, by a GET, which is billed by nobody while it is refused. Some refuse HEAD alone.
Reply Names::with_words(Question question, Reply refusal) {
  if (!challenge_error(refusal.head).empty()) return refusal;
  question.method = "GET";
  question.for_words = true;
  question.body_limit = kMaxManifestBytes;
  Result<Reply> said = exchange_.ask(question);
  const bool is_better = said && (said->ok() || said->head.status == refusal.head.status);
  return is_better ? *std::move(said) : refusal;
}

Result<FetchedManifest> Names::manifest(const Reference& reference) {
  Question question = manifest_question(reference);
  question.body_limit = kMaxManifestBytes;
  question.decode_content = true;
  Result<Reply> reply = exchange_.ask(question);
  if (!reply) return reply.error();
  if (!reply->ok()) return refused(question, *reply);
  if (reply->cut) return Error{Errc::too_large, "the manifest of " + question.what + " is over 4 MiB"};
  Digest digest = sha256_of(reply->body);
  if (const Digest* wanted = std::get_if<Digest>(&reference.target); wanted && *wanted != digest) {
    return Error{Errc::digest_mismatch, reply->answered_by + " sent another document for " + question.what +
                                            ": its digest is " + digest.str()};
  }
  std::string media_type = reply->media_type();
  return FetchedManifest{std::move(reply->body), digest, std::move(media_type)};
}

Result<std::string> Names::small_blob(const Repository& repository, const Descriptor& descriptor) {
  Question question;
  question.repository = repository;
  question.what = repository.str() + "@" + descriptor.digest.str();
  question.path = "/v2/" + repository.name + "/blobs/" + descriptor.digest.str();
  question.protects = Protects::digest;
  if (descriptor.size_bytes > kMaxConfigBytes) {
    return Error{Errc::too_large, question.what + " should be " + std::to_string(descriptor.size_bytes) +
                                      " bytes, more than the 4 MiB that a config may have"};
  }
  question.body_limit = descriptor.size_bytes;
  Result<Reply> reply = exchange_.ask(question);
  if (!reply) return reply.error();
  if (reply->head.status == 404 || reply->head.status == 410) {
    return Error{Errc::missing_content, refused(question, *reply).context()};
  }
  if (!reply->ok()) return refused(question, *reply);
  if (reply->cut || reply->body.size() != descriptor.size_bytes) {
    return Error{Errc::wrong_length, reply->answered_by + " sent " + (reply->cut ? "more than " : "") +
                                         std::to_string(reply->body.size()) + " bytes for " + question.what +
                                         ", which should be " + std::to_string(descriptor.size_bytes)};
  }
  Digest digest = sha256_of(reply->body);
  if (digest != descriptor.digest) {
    return Error{Errc::digest_mismatch,
                 reply->answered_by + " sent other bytes for " + question.what + ": their digest is " + digest.str()};
  }
  return std::move(reply->body);
}

}  // namespace regfs::registry
