// SPDX-License-Identifier: MIT
// What registries say of their repositories by `_catalog`: best effort. Nobody depends on it: many have none, or show
// it to administrators only, and some walk their whole store for it.
//
// A catalog is trusted for the tag TTL where a registry is listed. Where the repositories below one are added to its
// tags, an older one does, so that listing tags costs a request for the catalog once in a long while. What a registry
// said last is kept on disk, for when it is not asked or cannot be. Owned by ImageResolver; safe to use from any
// thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "cache/ref_store.h"
#include "fs/expiring_map.h"
#include "registry/client.h"

namespace regfs::fs {

// How long an answer that could not be revalidated is served before the registry is tried again.
inline constexpr std::chrono::seconds kStaleLife{5};
inline constexpr std::chrono::milliseconds kCatalogPatience{5'000};
// Where it only adds to a list that is there.
inline constexpr std::chrono::milliseconds kBriefCatalogPatience{1'000};
// A registry that says that it has none is not asked again so soon; nor, where that is brief, one that was too slow.
inline constexpr std::chrono::minutes kNoCatalogMemory{10};
inline constexpr std::chrono::minutes kOlderCatalogMemory{10};

// What the catalog of a registry names, whether all of it or not: proof of presence, never of absence.
struct CatalogNames {
  std::shared_ptr<const std::vector<std::string>> names;  // of repositories, sorted, each once
  std::chrono::milliseconds left;
  // Those that begin so: of "acme/" "acme/api" and "acme/web/next".
  std::span<const std::string> below(const std::string& prefix) const;
  bool contains(const std::string& repository) const;  // or one below it
};

class Catalogs {
 public:
  // All must outlive the catalogs.
  Catalogs(registry::Client& client, cache::RefStore& refs, const Clock& clock, Log& log,
           std::chrono::milliseconds tag_ttl);

  // May wait, for as long as the patience. nullopt: the registry says nothing, now or ever.
  std::optional<CatalogNames> ask(const std::string& host, std::chrono::milliseconds patience);
  // What was said last, maybe nothing. Asks nobody; may read the disk.
  CatalogNames last_known(const std::string& host);
  // From memory alone: nullopt unless it is fresh.
  std::optional<CatalogNames> fresh(const std::string& host) const;

 private:
  using Names = std::shared_ptr<const std::vector<std::string>>;

  void ask_now(const std::string& host, std::chrono::milliseconds patience);

  registry::Client& client_;
  cache::RefStore& refs_;
  Log& log_;
  const std::chrono::milliseconds life_;
  ExpiringMap<std::string, Names> fresh_;    // by host, as all of these
  ExpiringMap<std::string, Names> older_;    // the same, longer
  ExpiringMap<std::string, Names> on_disk_;  // what the disk was found to hold
  ExpiringMap<std::string, bool> none_;      // true: the registry says so itself
  ExpiringMap<std::string, bool> too_slow_;  // within kBriefCatalogPatience
};

}  // namespace regfs::fs
