// SPDX-License-Identifier: MIT
// From names to documents: what a tag means, which platforms it has, and all of one image.
//
// Straight-line code on resolver threads: each call may wait for the registry when asked with
// Ask::registry, and never does with Ask::last_known, which answers from what memory and the cache
// directory hold, however old. Answers carry how long they may be trusted. What is addressed by digest
// is kept for ever; a tag for the tag TTL. Owned by Filesystem; safe to use from any thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cache/ref_store.h"
#include "cache/store.h"
#include "fs/catalogs.h"
#include "fs/expiring_map.h"
#include "fs/platform_list.h"
#include "fs/resolved_image.h"
#include "registry/client.h"

namespace regfs::fs {

enum class Ask { registry, last_known };

// How long a definite "does not exist" is trusted.
inline constexpr std::chrono::seconds kAbsenceMemory{30};
// What never changes is trusted this long.
inline constexpr std::chrono::hours kForever{24};

struct ResolvedTag {
  Digest digest;
  std::string media_type;  // of the document, may be empty
  std::chrono::milliseconds left;
};

struct TagNames {
  std::shared_ptr<const std::vector<std::string>> names;     // sorted, each once
  std::shared_ptr<const std::vector<std::string>> children;  // below the repository, where the registry says; sorted
  std::chrono::milliseconds left;
  bool contains(const std::string& tag) const;
};

struct Platforms {
  std::shared_ptr<const PlatformList> list;
  std::chrono::milliseconds left;
};

class ImageResolver {
 public:
  // All must outlive the resolver. `offline`: every Ask is taken for Ask::last_known.
  ImageResolver(registry::Client& client, cache::BlobStore& store, cache::RefStore& refs, const Clock& clock, Log& log,
                std::chrono::milliseconds tag_ttl, bool offline = false);

  // Whether the reference exists, and as what. By tag: one HEAD. Errc::not_found is definite, and remembered.
  Result<ResolvedTag> resolve(const registry::Reference& reference, Ask ask);

  // The tags of a repository, all pages. Errc::not_found is definite, and remembered.
  Result<TagNames> tags(const registry::Repository& repository, Ask ask);
  // What the registry says of its repositories; nullopt where it says nothing.
  std::optional<CatalogNames> catalog(const std::string& host, Ask ask, std::chrono::milliseconds patience);
  // Whether the last known catalog or tag list names the repository or one below it. Asks nobody, may read the disk.
  bool was_named(const registry::Repository& repository);
  // From memory alone, never waits: whether a fresh catalog or tag list names the repository or one below it, and for
  // how long still.
  std::optional<std::chrono::milliseconds> named(const registry::Repository& repository) const;
  // From memory alone, never waits: whether a fresh listing holds the tag, and for how long still.
  std::optional<std::chrono::milliseconds> listed(const registry::Reference& reference) const;
  // Whether anything was ever learnt of the repository, in this mount or before.
  bool is_known(const registry::Repository& repository);

  // The platforms of a tag or digest: the index, and manifest and config of entries that name no platform.
  Result<Platforms> platforms(const registry::Reference& reference, Ask ask);

  // Manifest and config of one platform, from the cache or the registry.
  Result<ResolvedImage> image(const registry::Repository& repository, const std::optional<std::string>& tag,
                              const registry::Descriptor& manifest, Ask ask);

 private:
  struct Fetched {
    Digest digest;
    std::string body;
    std::string media_type;
  };

  Result<ResolvedTag> resolve_digest(const registry::Reference& reference, const Digest& digest, Ask ask);
  Result<ResolvedTag> ask_for_tag(const registry::Reference& reference);
  // On disk and in memory; in memory alone.
  ResolvedTag remember_tag(const registry::Reference& reference, const Digest& digest, const std::string& media_type);
  ResolvedTag hold_tag(const registry::Reference& reference, const Digest& digest, const std::string& media_type);
  Result<TagNames> ask_for_tags(const registry::Repository& repository);
  Result<Fetched> root_document(const registry::Reference& reference, const ResolvedTag& resolved, Ask ask);
  Result<std::string> document(const registry::Repository& repository, const registry::Descriptor& descriptor, Ask ask);
  Result<std::string> config_of(const registry::Repository& repository, const registry::Manifest& manifest, Ask ask);
  Result<void> add_platforms(const registry::Repository& repository, const registry::Index& index, Ask ask, int depth,
                             int& requests, PlatformList& list);
  Result<void> add_unnamed(const registry::Repository& repository, const registry::Descriptor& descriptor, Ask ask,
                           PlatformList& list);
  void keep(const Digest& digest, const std::string& bytes);

  registry::Client& client_;
  cache::BlobStore& store_;
  cache::RefStore& refs_;
  const Clock& clock_;
  Log& log_;
  const std::chrono::milliseconds tag_ttl_;
  const bool offline_;
  ExpiringMap<registry::Reference, ResolvedTag> tags_;
  ExpiringMap<registry::Repository, TagNames> lists_;
  Catalogs catalogs_;
  ExpiringMap<registry::Reference, bool> absent_tags_;
  ExpiringMap<registry::Repository, Errc> absent_lists_;
  ExpiringMap<registry::Repository, bool> known_;
  ExpiringMap<std::pair<registry::Repository, Digest>, std::shared_ptr<const PlatformList>> platforms_;
};

}  // namespace regfs::fs
