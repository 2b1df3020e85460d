// SPDX-License-Identifier: MIT
#include "fs/name_rules.h"

#include <algorithm>
#include <set>

namespace regfs::fs {
namespace {

constexpr std::string_view kHubLibrary = "library/";
// Tags that hold the signatures and attestations of others: found by name, not shown.
constexpr std::string_view kReferrersTagPrefix = "sha256-";

Error does_not_exist(const Location& parent, const std::string& name) {
  return {Errc::not_found, (parent.path.empty() ? name : parent.path + "/" + name) + " does not exist"};
}

// "No, not here" or "not for you": the same to whoever asks whether a name is a repository, because
// registries that hide names (Docker Hub among them) say 401 for what does not exist.
bool denies(const Error& error) {
  return error.is(Errc::not_found) || error.is(Errc::unauthorized) || error.is(Errc::forbidden) ||
         error.is(Errc::unsupported);
}

bool is_refusal(const Error& error) {
  return error.is(Errc::unauthorized) || error.is(Errc::forbidden);
}

// Whether the error ends the question. What is merely not in the cache says nothing of the registry.
bool settles(const Error& error, Ask ask) {
  return ask == Ask::registry && !denies(error);
}

// A name that ends as an archive's is none of a directory.
void add_directory(const std::string& name, Listing& listing) {
  if (!archive_stem(name)) listing.names.push_back({name, std::nullopt});
}

// Platforms stand first and keep their name; of the rest each once.
Listing each_once(Listing listing) {
  std::set<std::string> seen;
  std::erase_if(listing.names, [&seen](const ListedName& name) { return !seen.insert(name.name).second; });
  return listing;
}

std::optional<std::string> tag_in(const registry::Reference& reference) {
  const std::string* tag = std::get_if<std::string>(&reference.target);
  return tag ? std::optional<std::string>(*tag) : std::nullopt;
}

}  // namespace

NameRules::NameRules(ImageResolver& resolver, cache::RefStore& refs, Log& log)
    : resolver_(resolver), refs_(refs), log_(log) {}

std::optional<Result<Child>> NameRules::lookup_now(const Location& parent, const std::string& name) const {
  std::optional<Location> child = child_location(parent, name);
  if (!child && !archive_stem(name)) return does_not_exist(parent, name);
  if (parent.components.empty()) {
    if (!child) return does_not_exist(parent, name);
    return Child{*std::move(child), kForever};
  }
  std::optional<registry::Reference> reference = reference_below(parent, name);
  if (!child || !reference) return std::nullopt;
  if (archive_stem(name) && as_reference(parent)) return std::nullopt;  // may be a platform
  if (auto left = resolver_.listed(*reference)) return Child{*std::move(child), *left};
  std::optional<registry::Repository> below = as_repository(*child);
  if (!below || archive_stem(name)) return std::nullopt;
  if (auto left = resolver_.named(*below)) return Child{*std::move(child), *left};
  return std::nullopt;
}

Result<Child> NameRules::lookup(const Location& parent, const std::string& name, Ask ask) {
  if (auto now = lookup_now(parent, name)) return *std::move(now);
  if (auto platform = as_platform(parent, name, ask)) return *std::move(platform);
  return below_repository(parent, name, ask);
}

// nullopt: it is no platform of `parent`, and may be something else.
std::optional<Result<Child>> NameRules::as_platform(const Location& parent, const std::string& name, Ask ask) {
  std::optional<std::string> stem = archive_stem(name);
  std::optional<registry::Reference> reference = as_reference(parent);
  if (!stem || !reference) return std::nullopt;
  Result<Platforms> platforms = resolver_.platforms(*reference, ask);
  if (!platforms) {
    if (platforms.error().is(Errc::not_found)) return std::nullopt;
    // Behind a denied tag there may be a repository that is not; the refusal is kept for when there is none.
    if (denies(platforms.error()) && as_repository(parent)) {
      Result<Child> other = below_repository(parent, name, ask);
      if (other) return other;
    }
    return Result<Child>(platforms.error());
  }
  const PlatformEntry* entry = platforms->list->find(*stem);
  if (!entry) return std::nullopt;
  ImageIdentity identity{reference->repository, tag_in(*reference), entry->manifest, entry->stem};
  Result<std::shared_ptr<const ImageFacts>> made = facts(std::move(identity), ask);
  if (!made) return Result<Child>(made.error());
  return Result<Child>(Child{*std::move(made), platforms->left});
}

Result<Child> NameRules::below_repository(const Location& parent, const std::string& name, Ask ask) {
  std::optional<Location> child = child_location(parent, name);
  std::optional<registry::Repository> repository = as_repository(parent);
  if (!child || !repository) return does_not_exist(parent, name);

  // A tag that is no repository has nothing below it but its platforms.
  std::optional<registry::Reference> parent_tag = as_reference(parent);
  bool parent_is_tag = parent_tag && resolver_.resolve(*parent_tag, ask).has_value();
  if (parent_is_tag) {
    Result<bool> both = is_repository(*repository, ask);
    if (!both) return both.error();
    if (!*both) return does_not_exist(parent, name);
  }

  std::optional<Error> refusal;
  if (std::optional<registry::Reference> reference = reference_below(parent, name)) {
    Result<ResolvedTag> resolved = resolver_.resolve(*reference, ask);
    if (resolved) return Child{*std::move(child), resolved->left};
    if (settles(resolved.error(), ask)) return resolved.error();
    if (!resolved.error().is(Errc::not_found)) refusal = resolved.error();
  }
  if (std::optional<registry::Repository> below = as_repository(*child); below && !archive_stem(name)) {
    Result<TagNames> tags = resolver_.tags(*below, ask);
    if (tags) return Child{*std::move(child), tags->left};
    if (settles(tags.error(), ask)) return tags.error();
  }
  if (ask == Ask::last_known) {
    std::vector<ListedName> below;
    add_known_below(*child, below);
    std::optional<registry::Repository> named = as_repository(*child);
    if (!below.empty() || (named && resolver_.was_named(*named))) return Child{*std::move(child), kStaleLife};
    return Error(Errc::unreachable, parent.path + "/" + name + " is not in the cache");
  }
  Result<bool> known = is_repository(*repository, ask);
  if (!known) return known.error();
  if (*known || archive_stem(name) || !as_repository(*child)) {
    if (refusal) return *std::move(refusal);
    return does_not_exist(parent, name);
  }
  return Child{*std::move(child), kStaleLife};
}

Result<bool> NameRules::is_repository(const registry::Repository& repository, Ask ask) {
  if (resolver_.is_known(repository)) return true;
  Result<TagNames> tags = resolver_.tags(repository, ask);
  if (tags) return true;
  if (denies(tags.error())) return false;
  return tags.error();
}

Result<std::shared_ptr<const ImageFacts>> NameRules::facts(ImageIdentity identity, Ask ask) {
  Result<ResolvedImage> image = resolver_.image(identity.repository, identity.tag, identity.manifest, ask);
  if (!image) return image.error().while_doing(identity.name());
  return image_facts(std::move(identity), *image);
}

std::vector<ImageIdentity> NameRules::platforms_of(const Location& parent) {
  std::vector<ImageIdentity> identities;
  std::optional<registry::Reference> reference = as_reference(parent);
  if (!reference) return identities;
  Result<Platforms> platforms = resolver_.platforms(*reference, Ask::last_known);
  if (!platforms) return identities;
  for (const PlatformEntry& entry : platforms->list->entries()) {
    identities.push_back({reference->repository, tag_in(*reference), entry.manifest, entry.stem});
  }
  return identities;
}

Result<Listing> NameRules::list(const Location& directory, Ask ask) {
  Listing listing{{}, kStaleLife};
  if (directory.components.empty()) {
    add_known_below(directory, listing.names);
    add_catalog_below(directory, ask, kCatalogPatience, listing);
    return each_once(std::move(listing));
  }

  std::optional<Error> refusal;
  bool found = false;
  bool repository_found = false;
  if (std::optional<registry::Reference> reference = as_reference(directory)) {
    Result<Platforms> platforms = resolver_.platforms(*reference, ask);
    if (platforms) {
      found = true;
      listing.left = platforms->left;
      for (const PlatformEntry& entry : platforms->list->entries()) {
        listing.names.push_back({entry.stem + ".tar",
                                 ImageIdentity{reference->repository, tag_in(*reference), entry.manifest, entry.stem}});
      }
    } else if (platforms.error().is(Errc::unsupported) || settles(platforms.error(), ask)) {
      return platforms.error();
    } else if (!platforms.error().is(Errc::not_found)) {
      refusal = platforms.error();
    }
  }
  std::optional<registry::Repository> repository = as_repository(directory);
  // A tag is rarely a repository too: asking would cost each tag a request, so only what is known counts.
  if (repository && (!found || resolver_.is_known(*repository))) {
    Result<TagNames> tags = resolver_.tags(*repository, ask);
    if (tags) {
      found = repository_found = true;
      listing.left = tags->left;
      for (const std::string& tag : *tags->names) {
        if (!tag.starts_with(kReferrersTagPrefix)) listing.names.push_back({tag, std::nullopt});
      }
      for (const std::string& child : *tags->children) add_directory(child, listing);
    } else if (settles(tags.error(), ask) || (!denies(tags.error()) && resolver_.is_known(*repository))) {
      return tags.error();  // a repository that is known has a list: without it this one would be short
    } else if (!refusal || is_refusal(tags.error())) {
      refusal = tags.error();  // what is said of it as a repository goes before what is said of it as a tag
    }
  }
  add_known_below(directory, listing.names);
  // Listing a repository costs its tag list, and the catalog once in a long while. A tag has nothing below it.
  if (!found || repository_found) {
    add_catalog_below(directory, ask, found ? kBriefCatalogPatience : kCatalogPatience, listing);
  }
  if (!found && listing.names.empty()) return refusal ? *refusal : does_not_exist(directory, "");
  return each_once(std::move(listing));
}

void NameRules::add_catalog_below(const Location& directory, Ask ask, std::chrono::milliseconds patience,
                                  Listing& listing) {
  if (!directory.host) return;
  std::optional<CatalogNames> catalog = resolver_.catalog(*directory.host, ask, patience);
  if (!catalog) return;
  std::string prefix;
  for (const std::string& component : directory.components) prefix += component + "/";
  std::string_view last;
  for (const std::string& name : catalog->below(prefix)) {
    const std::string_view rest = std::string_view(name).substr(prefix.size());
    const std::string_view child = rest.substr(0, rest.find('/'));
    if (child != last) add_directory(std::string(child), listing);
    last = child;
  }
}

void NameRules::add_known_below(const Location& directory, std::vector<ListedName>& names) {
  std::set<std::string> children;
  std::string prefix;
  for (const std::string& component : directory.components) prefix += component + "/";
  for (const std::string& known : refs_.repositories()) {
    size_t slash = known.find('/');
    if (slash == std::string::npos) continue;
    std::string host = known.substr(0, slash);
    std::string name = known.substr(slash + 1);
    if (!directory.host && host != registry::kDockerHub) {
      children.insert(host);
      continue;
    }
    if (directory.host && host != *directory.host) continue;
    if (directory.components.empty() && host == registry::kDockerHub && name.starts_with(kHubLibrary)) {
      name = name.substr(kHubLibrary.size());
    }
    if (!name.starts_with(prefix)) continue;
    std::string rest = name.substr(prefix.size());
    children.insert(rest.substr(0, rest.find('/')));
  }
  for (const std::string& child : children) names.push_back({child, std::nullopt});
}

}  // namespace regfs::fs
