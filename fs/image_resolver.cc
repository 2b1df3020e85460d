// SPDX-License-Identifier: MIT
#include "fs/image_resolver.h"

#include <algorithm>

namespace regfs::fs {
namespace {

constexpr size_t kRememberedNames = 50'000;  // tags and absences: some 200 bytes each
constexpr size_t kRememberedRepositories = 1'000;
constexpr size_t kRememberedPlatformLists = 2'000;
// An index may hold indexes; whoever nests more than a real image needs is hostile.
constexpr int kMostDocumentsPerTag = 40;

const std::string* tag_of(const registry::Reference& reference) {
  return std::get_if<std::string>(&reference.target);
}

Error not_cached(const std::string& what) {
  return {Errc::unreachable, what + " is not in the cache"};
}

std::shared_ptr<const std::vector<std::string>> sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return std::make_shared<const std::vector<std::string>>(std::move(names));
}

bool has(const std::vector<std::string>& sorted_names, const std::string& name) {
  return std::binary_search(sorted_names.begin(), sorted_names.end(), name);
}

bool is_image_or_index(const std::string& media_type) {
  return media_type == registry::kDockerManifest || media_type == registry::kDockerManifestList ||
         media_type == registry::kOciManifest || media_type == registry::kOciIndex;
}

bool is_index(const std::string& media_type) {
  return media_type == registry::kDockerManifestList || media_type == registry::kOciIndex;
}

// An entry that is broken by itself is hidden, so that its good neighbours stay; what the registry did
// not deliver is an error, lest a listing be short without a word.
bool hides_entry(const Error& error) {
  return error.is(Errc::malformed) || error.is(Errc::unsupported) || error.is(Errc::too_large);
}

}  // namespace

bool TagNames::contains(const std::string& tag) const {
  return has(*names, tag);
}

ImageResolver::ImageResolver(registry::Client& client, cache::BlobStore& store, cache::RefStore& refs,
                             const Clock& clock, Log& log, std::chrono::milliseconds tag_ttl, bool offline)
    : client_(client),
      store_(store),
      refs_(refs),
      clock_(clock),
      log_(log),
      tag_ttl_(tag_ttl),
      offline_(offline),
      tags_(clock, kRememberedNames),
      lists_(clock, kRememberedRepositories),
      catalogs_(client, refs, clock, log, tag_ttl),
      absent_tags_(clock, kRememberedNames),
      absent_lists_(clock, kRememberedNames),
      known_(clock, kRememberedNames),
      platforms_(clock, kRememberedPlatformLists) {}

Result<ResolvedTag> ImageResolver::resolve(const registry::Reference& reference, Ask ask) {
  if (offline_) ask = Ask::last_known;
  if (auto fresh = tags_.get(reference)) {
    fresh->value.left = fresh->left;
    return std::move(fresh->value);
  }
  if (absent_tags_.get(reference)) return Error(Errc::not_found, reference.str() + " does not exist");
  if (const Digest* digest = std::get_if<Digest>(&reference.target)) return resolve_digest(reference, *digest, ask);
  std::optional<cache::TagRecord> record = refs_.tag(reference.repository.str(), *tag_of(reference));
  if (record) {
    auto age = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.wall_now() - record->stored);
    ResolvedTag known{record->digest, record->media_type, kStaleLife};
    if (ask == Ask::last_known) return known;
    if (age.count() >= 0 && age < tag_ttl_) {
      known.left = tag_ttl_ - age;
      tags_.put(reference, known, known.left);
      known_.put(reference.repository, true, kForever);
      return known;
    }
  }
  if (ask == Ask::last_known) return not_cached(reference.str());
  return ask_for_tag(reference);
}

// That a document is in the cache says nothing of who may have it from where: it came from a repository, maybe another,
// maybe with another's credentials. Each is asked once.
Result<ResolvedTag> ImageResolver::resolve_digest(const registry::Reference& reference, const Digest& digest, Ask ask) {
  const bool cached = store_.document(digest, registry::kMaxManifestBytes).has_value();
  if (ask == Ask::last_known) {
    if (!cached) return not_cached(reference.str());
    return ResolvedTag{digest, {}, kStaleLife};
  }
  if (!cached) return ask_for_tag(reference);
  if (std::optional<cache::TagRecord> record = refs_.tag(reference.repository.str(), digest.str())) {
    return hold_tag(reference, digest, record->media_type);
  }
  Result<registry::ManifestHead> head = client_.head_manifest(reference);
  if (!head) {
    if (head.error().is(Errc::not_found)) absent_tags_.put(reference, true, kAbsenceMemory);
    return head.error();
  }
  return remember_tag(reference, digest, head->media_type);
}

Result<ResolvedTag> ImageResolver::ask_for_tag(const registry::Reference& reference) {
  if (!reference.by_digest()) {
    Result<registry::ManifestHead> head = client_.head_manifest(reference);
    if (head && head->digest) return remember_tag(reference, *head->digest, head->media_type);
    if (!head) {
      if (head.error().is(Errc::not_found)) {
        refs_.drop_tag(reference.repository.str(), *tag_of(reference));
        absent_tags_.put(reference, true, kAbsenceMemory);
      }
      return head.error();
    }
  }
  // By digest, or a registry that does not say the digest: only the document itself tells.
  Result<registry::FetchedManifest> fetched = client_.manifest(reference);
  if (!fetched) {
    if (fetched.error().is(Errc::not_found)) absent_tags_.put(reference, true, kAbsenceMemory);
    return fetched.error();
  }
  Result<registry::Document> document = registry::parse_document(fetched->body, fetched->media_type);
  if (document) {
    keep(fetched->digest, fetched->body);
  } else if (!document.error().is(Errc::unsupported)) {  // an artifact exists, though it is no image
    return document.error().while_doing(reference.str());
  }
  return remember_tag(reference, fetched->digest, fetched->media_type);
}

ResolvedTag ImageResolver::remember_tag(const registry::Reference& reference, const Digest& digest,
                                        const std::string& media_type) {
  Result<void> put = refs_.put_tag(reference.repository.str(), reference.target_str(), digest, media_type);
  if (!put) log_.failure(put.error().while_doing("remembering " + reference.str()).context());
  return hold_tag(reference, digest, media_type);
}

ResolvedTag ImageResolver::hold_tag(const registry::Reference& reference, const Digest& digest,
                                    const std::string& media_type) {
  std::chrono::milliseconds life = reference.by_digest() ? std::chrono::milliseconds(kForever) : tag_ttl_;
  ResolvedTag resolved{digest, media_type, life};
  tags_.put(reference, resolved, life);
  absent_tags_.drop(reference);
  absent_lists_.drop(reference.repository);
  known_.put(reference.repository, true, kForever);
  return resolved;
}

Result<TagNames> ImageResolver::tags(const registry::Repository& repository, Ask ask) {
  if (offline_) ask = Ask::last_known;
  if (auto fresh = lists_.get(repository)) return TagNames{fresh->value.names, fresh->value.children, fresh->left};
  if (auto absent = absent_lists_.get(repository)) {
    return Error(absent->value, "the registry has no tag list of " + repository.str());
  }
  if (ask == Ask::registry) return ask_for_tags(repository);
  std::optional<cache::TagListRecord> record = refs_.tag_list(repository.str());
  if (!record) return not_cached("the tag list of " + repository.str());
  return TagNames{sorted(std::move(record->tags)), sorted(std::move(record->children)), kStaleLife};
}

Result<TagNames> ImageResolver::ask_for_tags(const registry::Repository& repository) {
  Result<registry::TagList> listed = client_.tags(repository);
  if (!listed) {
    for (Errc definite : {Errc::not_found, Errc::unsupported}) {
      if (listed.error().is(definite)) absent_lists_.put(repository, definite, kAbsenceMemory);
    }
    return listed.error();
  }
  TagNames list{sorted(std::move(listed->tags)), sorted(std::move(listed->children)), tag_ttl_};
  Result<void> put = refs_.put_tag_list(repository.str(), *list.names, *list.children);
  if (!put) log_.failure(put.error().while_doing("remembering the tags of " + repository.str()).context());
  for (const std::string& tag : *list.names) absent_tags_.drop({repository, tag});
  lists_.put(repository, list, tag_ttl_);
  known_.put(repository, true, kForever);
  return list;
}

std::optional<CatalogNames> ImageResolver::catalog(const std::string& host, Ask ask,
                                                   std::chrono::milliseconds patience) {
  if (ask == Ask::last_known || offline_) return catalogs_.last_known(host);
  return catalogs_.ask(host, patience);
}

bool ImageResolver::was_named(const registry::Repository& repository) {
  if (catalogs_.last_known(repository.host).contains(repository.name)) return true;
  const size_t slash = repository.name.rfind('/');
  if (slash == std::string::npos) return false;
  Result<TagNames> above = tags({repository.host, repository.name.substr(0, slash)}, Ask::last_known);
  return above && has(*above->children, repository.name.substr(slash + 1));
}

std::optional<std::chrono::milliseconds> ImageResolver::named(const registry::Repository& repository) const {
  auto catalog = catalogs_.fresh(repository.host);
  if (catalog && catalog->contains(repository.name)) return catalog->left;
  const size_t slash = repository.name.rfind('/');
  if (slash == std::string::npos) return std::nullopt;
  auto list = lists_.get({repository.host, repository.name.substr(0, slash)});
  if (!list || !has(*list->value.children, repository.name.substr(slash + 1))) return std::nullopt;
  return list->left;
}

std::optional<std::chrono::milliseconds> ImageResolver::listed(const registry::Reference& reference) const {
  const std::string* tag = tag_of(reference);
  auto fresh = tag ? lists_.get(reference.repository) : std::nullopt;
  if (!fresh || !fresh->value.contains(*tag)) return std::nullopt;
  return fresh->left;
}

bool ImageResolver::is_known(const registry::Repository& repository) {
  if (known_.get(repository)) return true;
  std::vector<std::string> all = refs_.repositories();
  if (std::find(all.begin(), all.end(), repository.str()) == all.end()) return false;
  known_.put(repository, true, kForever);
  return true;
}

Result<Platforms> ImageResolver::platforms(const registry::Reference& reference, Ask ask) {
  if (offline_) ask = Ask::last_known;
  Result<ResolvedTag> resolved = resolve(reference, ask);
  if (!resolved) return resolved.error();
  if (auto known = platforms_.get({reference.repository, resolved->digest})) {
    return Platforms{known->value, resolved->left};
  }

  Result<Fetched> root = root_document(reference, *resolved, ask);
  if (!root) return root.error();
  Result<registry::Document> document = registry::parse_document(root->body, root->media_type);
  if (!document) return document.error().while_doing(reference.str());
  keep(root->digest, root->body);

  auto list = std::make_shared<PlatformList>();
  if (const auto* index = std::get_if<registry::Index>(&*document)) {
    int requests = 0;
    Result<void> added = add_platforms(reference.repository, *index, ask, 1, requests, *list);
    if (!added) return added.error().while_doing(reference.str());
  } else {
    const auto& manifest = std::get<registry::Manifest>(*document);
    Result<void> added =
        add_unnamed(reference.repository, {manifest.media_type, root->digest, root->body.size(), {}}, ask, *list);
    if (!added) return added.error().while_doing(reference.str());
  }
  platforms_.put({reference.repository, root->digest}, list, kForever);
  return Platforms{std::move(list), resolved->left};
}

Result<ImageResolver::Fetched> ImageResolver::root_document(const registry::Reference& reference,
                                                            const ResolvedTag& resolved, Ask ask) {
  if (auto cached = store_.document(resolved.digest, registry::kMaxManifestBytes)) {
    return Fetched{resolved.digest, *std::move(cached), resolved.media_type};
  }
  if (ask == Ask::last_known) return not_cached(reference.str());
  // By tag again: HEAD and GET may differ, and then the bytes decide.
  Result<registry::FetchedManifest> fetched = client_.manifest(reference);
  if (!fetched) return fetched.error();
  if (fetched->digest != resolved.digest) remember_tag(reference, fetched->digest, fetched->media_type);
  return Fetched{fetched->digest, std::move(fetched->body), std::move(fetched->media_type)};
}

Result<void> ImageResolver::add_platforms(const registry::Repository& repository, const registry::Index& index, Ask ask,
                                          int depth, int& requests, PlatformList& list) {
  for (const registry::IndexEntry& entry : index.entries) {
    if (entry.attestation || !is_image_or_index(entry.descriptor.media_type)) continue;
    bool nested = is_index(entry.descriptor.media_type);
    if (!nested && entry.platform) {
      list.add(*entry.platform, entry.descriptor);
      continue;
    }
    if (depth > registry::kMaxIndexNesting) {
      return Error(Errc::malformed, "the index nests other documents too deeply");
    }
    if (++requests > kMostDocumentsPerTag) {
      return Error(Errc::malformed, "the platforms of the index stand in more than " +
                                        std::to_string(kMostDocumentsPerTag) + " other documents");
    }
    Result<void> added;
    if (nested) {
      Result<std::string> body = document(repository, entry.descriptor, ask);
      if (!body) return body.error();
      Result<registry::Document> inner =
          registry::parse_document(*body, entry.descriptor.media_type, entry.descriptor.media_type);
      if (!inner) return inner.error();
      const auto* inner_index = std::get_if<registry::Index>(&*inner);
      if (!inner_index)
        return Error(Errc::malformed, entry.descriptor.digest.str() + " is listed as an index and is none");
      keep(entry.descriptor.digest, *body);
      added = add_platforms(repository, *inner_index, ask, depth + 1, requests, list);
      if (!added) return added;
    } else {
      added = add_unnamed(repository, entry.descriptor, ask, list);
      if (!added && !hides_entry(added.error())) return added;
      if (!added) log_.failure(added.error().while_doing(repository.str() + ": an entry is hidden").context());
    }
  }
  return {};
}

Result<void> ImageResolver::add_unnamed(const registry::Repository& repository, const registry::Descriptor& descriptor,
                                        Ask ask, PlatformList& list) {
  Result<ResolvedImage> resolved = image(repository, std::nullopt, descriptor, ask);
  if (!resolved) return resolved.error();
  if (!list.add(resolved->config.platform, descriptor)) {
    return Error(Errc::malformed, "the config of " + descriptor.digest.str() + " names no platform");
  }
  return {};
}

Result<ResolvedImage> ImageResolver::image(const registry::Repository& repository,
                                           const std::optional<std::string>& tag, const registry::Descriptor& manifest,
                                           Ask ask) {
  if (offline_) ask = Ask::last_known;
  Result<std::string> body = document(repository, manifest, ask);
  if (!body) return body.error();
  Result<registry::Document> parsed = registry::parse_document(*body, manifest.media_type, manifest.media_type);
  if (!parsed) return parsed.error().while_doing("manifest " + manifest.digest.str());
  auto* image_manifest = std::get_if<registry::Manifest>(&*parsed);
  if (!image_manifest) {
    return Error(Errc::malformed, manifest.digest.str() + " is listed as an image manifest and is an index");
  }
  keep(manifest.digest, *body);

  Result<std::string> config = config_of(repository, *image_manifest, ask);
  if (!config) return config.error().while_doing("config " + image_manifest->config.digest.str());
  Result<registry::ImageConfig> image_config = registry::parse_image_config(*config);
  if (!image_config) return image_config.error().while_doing("config " + image_manifest->config.digest.str());
  keep(image_manifest->config.digest, *config);

  return ResolvedImage{repository,
                       tag,
                       manifest.digest,
                       image_manifest->media_type,
                       *std::move(body),
                       *std::move(config),
                       std::move(*image_manifest),
                       *std::move(image_config)};
}

Result<std::string> ImageResolver::document(const registry::Repository& repository,
                                            const registry::Descriptor& descriptor, Ask ask) {
  auto right_length = [&](std::string body) -> Result<std::string> {
    if (body.size() == descriptor.size_bytes) return body;
    return Error(Errc::wrong_length, descriptor.digest.str() + " has " + std::to_string(body.size()) +
                                         " bytes where its descriptor says " + std::to_string(descriptor.size_bytes));
  };
  if (auto cached = store_.document(descriptor.digest, registry::kMaxManifestBytes)) {
    return right_length(*std::move(cached));
  }
  if (ask == Ask::last_known) return not_cached("manifest " + descriptor.digest.str());
  Result<registry::FetchedManifest> fetched = client_.manifest({repository, descriptor.digest});
  if (fetched) return right_length(std::move(fetched->body));
  // The index is good and names it: that it is gone is not the answer to "does this name exist".
  if (fetched.error().is(Errc::not_found)) return Error(Errc::missing_content, fetched.error().context());
  return fetched.error();
}

Result<std::string> ImageResolver::config_of(const registry::Repository& repository, const registry::Manifest& manifest,
                                             Ask ask) {
  const registry::Descriptor& config = manifest.config;
  if (auto cached = store_.document(config.digest, registry::kMaxConfigBytes)) {
    if (cached->size() == config.size_bytes) return *std::move(cached);
    return Error(Errc::wrong_length, "it has " + std::to_string(cached->size()) + " bytes where its descriptor says " +
                                         std::to_string(config.size_bytes));
  }
  if (ask == Ask::last_known) return not_cached(config.digest.str());
  Result<std::string> fetched = client_.small_blob(repository, config);
  if (!fetched && fetched.error().is(Errc::not_found)) return Error(Errc::missing_content, fetched.error().context());
  return fetched;
}

void ImageResolver::keep(const Digest& digest, const std::string& bytes) {
  Result<void> put = store_.put_document(digest, bytes);
  // The answer is good without it; a full disk costs the next mount a request.
  if (!put) log_.failure(put.error().while_doing("keeping " + digest.str()).context());
}

}  // namespace regfs::fs
