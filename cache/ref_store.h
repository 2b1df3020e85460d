// SPDX-License-Identifier: MIT
// What tags meant, when last asked: (repository, tag) → digest, the tag list of a repository, and the catalog of a
// registry, on disk below the cache directory so that they survive the mount. Freshness is the caller's business:
// an answer carries when it was stored, by the wall clock. Written by write → rename; a damaged file
// is an absent one. Owned by Mount; safe to use from any thread; touches the disk.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/digest.h"
#include "base/result.h"

namespace regfs::cache {

struct TagRecord {
  Digest digest;
  std::string media_type;  // of the document, may be empty
  Wall::time_point stored;
};

struct TagListRecord {
  std::vector<std::string> tags;
  std::vector<std::string> children;  // components below the repository, where the registry says
  Wall::time_point stored;
};

struct CatalogRecord {
  std::vector<std::string> repositories;
  Wall::time_point stored;
};

class RefStore {
 public:
  // `directory` is the cache directory; makes refs/ below it.
  static Result<std::unique_ptr<RefStore>> open(const std::string& directory, const Clock& clock);
  // Nothing on disk: for --no-cache.
  static std::unique_ptr<RefStore> in_memory(const Clock& clock);
  virtual ~RefStore() = default;

  // `repository` is "host/name" ("docker.io/library/nginx"), already valid as such. A digest that the registry was
  // found to show in it is filed as a tag that means itself.
  virtual std::optional<TagRecord> tag(const std::string& repository, const std::string& tag) = 0;
  virtual Result<void> put_tag(const std::string& repository, const std::string& tag, const Digest& digest,
                               const std::string& media_type) = 0;
  virtual void drop_tag(const std::string& repository, const std::string& tag) = 0;  // the registry says it is gone

  virtual std::optional<TagListRecord> tag_list(const std::string& repository) = 0;
  virtual Result<void> put_tag_list(const std::string& repository, const std::vector<std::string>& tags,
                                    const std::vector<std::string>& children = {}) = 0;

  // What a registry said of its repositories. That it names one makes none of them known.
  virtual std::optional<CatalogRecord> catalog(const std::string& host) = 0;
  virtual Result<void> put_catalog(const std::string& host, const std::vector<std::string>& repositories) = 0;

  // Every repository of which something is known, "host/name".
  virtual std::vector<std::string> repositories() = 0;

  struct KnownTag {
    std::string tag;
    TagRecord record;
    bool is_digest() const { return tag == record.digest.str(); }
  };
  // Every tag of it whose meaning is known, and every digest, sorted.
  virtual std::vector<KnownTag> known_tags(const std::string& repository) = 0;
};

}  // namespace regfs::cache
