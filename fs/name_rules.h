// SPDX-License-Identifier: MIT
// Which names exist in a directory, and what they are: the rules of the tree.
//
// LOOKUP below the root: a platform of the tag that the directory is; a tag or digest of the repository
// it is; a repository below it; and where nothing is known of the directory as a repository, a
// namespace is assumed. What the registry's catalog or the tag list above names is there, without asking further; what
// it does not name may be there as well. Straight-line code on resolver threads: waits for the registry when asked with
// Ask::registry, never with Ask::last_known. Owned by Filesystem; safe to use from any thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "fs/image_facts.h"
#include "fs/image_resolver.h"
#include "fs/location.h"

namespace regfs::fs {

// What a name turned out to be, and how long that may be trusted.
struct Child {
  std::variant<Location, std::shared_ptr<const ImageFacts>> what;
  std::chrono::milliseconds left;
};

// One name of a listing. A file's attributes are not part of it: they cost a manifest.
struct ListedName {
  std::string name;
  std::optional<ImageIdentity> file;  // nullopt: a directory
};

struct Listing {
  std::vector<ListedName> names;
  std::chrono::milliseconds left;
};

class NameRules {
 public:
  NameRules(ImageResolver& resolver, cache::RefStore& refs, Log& log);

  // The answer where it needs neither network nor disk, for FUSE workers: below the root always, a tag
  // of a fresh listing, a name that no registry could have (Errc::not_found). nullopt: ask lookup().
  std::optional<Result<Child>> lookup_now(const Location& parent, const std::string& name) const;

  Result<Child> lookup(const Location& parent, const std::string& name, Ask ask);
  Result<Listing> list(const Location& directory, Ask ask);

  // The other platforms of the tag that `parent` is: whoever asks for two will ask for the rest.
  std::vector<ImageIdentity> platforms_of(const Location& parent);
  // The facts of one file from its documents.
  Result<std::shared_ptr<const ImageFacts>> facts(ImageIdentity identity, Ask ask);

 private:
  std::optional<Result<Child>> as_platform(const Location& parent, const std::string& name, Ask ask);
  Result<Child> below_repository(const Location& parent, const std::string& name, Ask ask);
  Result<bool> is_repository(const registry::Repository& repository, Ask ask);
  void add_known_below(const Location& directory, std::vector<ListedName>& names);
  void add_catalog_below(const Location& directory, Ask ask, std::chrono::milliseconds patience, Listing& listing);

  ImageResolver& resolver_;
  cache::RefStore& refs_;
  Log& log_;
};

}  // namespace regfs::fs
