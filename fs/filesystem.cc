// SPDX-License-Identifier: MIT
#include "fs/filesystem.h"

#include <algorithm>

namespace regfs::fs {
namespace {

using std::chrono::milliseconds;

constexpr size_t kRememberedHosts = 1'000;
constexpr size_t kRememberedDirectories = 1'000;
// An archive that is not whole in the cache gains blocks: its attributes hold this long.
constexpr milliseconds kArrivingAttributes{1'000};
// Two platforms of one tag looked up within this time: somebody goes through all of them.
constexpr milliseconds kSoonAfter{10'000};
constexpr size_t kMostNeighbours = 32;  // real images have a dozen platforms
constexpr uint64_t kBlockBytes = 512;

QuestionServices question_services(const FilesystemParts& parts, ExpiringMap<std::string, Error>& outages) {
  return {parts.resolvers, parts.replies, parts.timer, parts.log, outages};
}

Error ending() {
  return {Errc::shutting_down, "the mount is going away"};
}

}  // namespace

Filesystem::Filesystem(FilesystemParts parts, FilesystemOptions options)
    : parts_(parts),
      options_(std::move(options)),
      mounted_seconds_(
          std::chrono::duration_cast<std::chrono::seconds>(parts.clock.wall_now().time_since_epoch()).count()),
      read_services_{parts.replies, parts.timer, parts.clock, parts.log, options_.read_timeout},
      resolver_(parts.client, parts.store, parts.refs, parts.clock, parts.log, options_.tag_ttl, options_.offline),
      rules_(resolver_, parts.refs, parts.log),
      outages_(parts.clock, kRememberedHosts),
      recent_platforms_(parts.clock, kRememberedDirectories),
      expected_(parts.clock, kRememberedDirectories),
      tree_(root_location(options_.host)),
      lookups_(std::make_shared<Questions<Child>>(question_services(parts, outages_))),
      listings_(std::make_shared<Questions<std::shared_ptr<const Listing>>>(question_services(parts, outages_))),
      opens_(std::make_shared<Questions<OpenImage>>(question_services(parts, outages_))) {}

Filesystem::~Filesystem() {
  shutdown();
}

void Filesystem::shutdown() {
  lookups_->shutdown(ending());
  listings_->shutdown(ending());
  opens_->shutdown(ending());
}

void Filesystem::interrupt(QuestionId id) {
  lookups_->cancel(id);
  listings_->cancel(id);
  opens_->cancel(id);
}

Location Filesystem::directory(uint64_t inode) const {
  return std::get<Location>(tree_.content(inode));
}

std::shared_ptr<const ImageFacts> Filesystem::image(uint64_t inode) const {
  return std::get<std::shared_ptr<const ImageFacts>>(tree_.content(inode));
}

bool Filesystem::is_directory(uint64_t inode) const {
  return std::holds_alternative<Location>(tree_.content(inode));
}

// --- LOOKUP ---

void Filesystem::lookup(QuestionId id, uint64_t parent_inode, const std::string& name, Once<Result<Entry>> answer) {
  NodeContent content = tree_.content(parent_inode);
  const auto* parent = std::get_if<Location>(&content);
  if (!parent) return answer(Error(Errc::not_found, name + " is asked of a file"));
  if (auto now = rules_.lookup_now(*parent, name)) {
    if (!*now) return answer(now->error());
    return answer(remembered(**now));
  }
  std::string what = "looking up " + parent->path + "/" + name;
  lookups_->ask(
      id, what, *parent->host, options_.lookup_timeout,
      [this, parent = *parent, name](Ask ask) { return rules_.lookup(parent, name, ask); },
      [this, parent = *parent, answer = std::move(answer)](Result<Child> child) mutable {
        if (!child) return answer(child.error());
        if (const auto* facts = std::get_if<std::shared_ptr<const ImageFacts>>(&child->what)) {
          expect_neighbours(parent, **facts);
        }
        answer(remembered(*child));
      });
}

Entry Filesystem::remembered(const Child& child) {
  return {attributes_of(tree_.remember(child.what), child.what), child.left};
}

// Whoever looks at a second platform of a tag soon after the first will look at the rest (`ls -l`): their
// manifests are fetched meanwhile.
void Filesystem::expect_neighbours(const Location& parent, const ImageFacts& found) {
  auto recent = recent_platforms_.get(parent.path);
  recent_platforms_.put(parent.path, found.identity.stem, kSoonAfter);
  if (!recent || recent->value == found.identity.stem || expected_.get(parent.path)) return;
  expected_.put(parent.path, true, kSoonAfter);
  const std::string& host = found.identity.repository.host;
  parts_.resolvers.submit([this, parent, host] {
    size_t asked = 0;
    for (ImageIdentity& neighbour : rules_.platforms_of(parent)) {
      if (tree_.known_image(neighbour)) continue;
      if (++asked > kMostNeighbours) return;
      parts_.resolvers.submit(host, [this, neighbour = std::move(neighbour)] {
        // Only to have it at hand; whoever asks for it gets the error.
        static_cast<void>(rules_.facts(neighbour, Ask::registry));
      });
    }
  });
}

// --- attributes ---

Attributes Filesystem::attributes(uint64_t inode) const {
  return attributes_of(inode, tree_.content(inode));
}

Attributes Filesystem::attributes_of(uint64_t inode, const NodeContent& content) const {
  if (std::holds_alternative<Location>(content)) return {inode, true, 0, 0, mounted_seconds_, kForever};
  const ImageFacts& facts = *std::get<std::shared_ptr<const ImageFacts>>(content);
  uint64_t cached = 0;
  for (const LayerPlace& layer : facts.layers) cached += parts_.store.present_bytes(layer.digest, layer.size_bytes);
  // Headers and documents are always at hand, so a file is never without blocks: `tar -S` would take it for a hole.
  uint64_t at_hand = facts.size_bytes - facts.layer_bytes + cached;
  bool whole = cached == facts.layer_bytes;
  return {inode,
          false,
          facts.size_bytes,
          (at_hand + kBlockBytes - 1) / kBlockBytes,
          facts.modified_seconds,
          whole ? milliseconds(kForever) : kArrivingAttributes};
}

// --- directories ---

void Filesystem::open_directory(QuestionId id, uint64_t inode, Once<Result<std::shared_ptr<OpenDirectory>>> answer) {
  Location location = directory(inode);
  auto open = [this, inode, location](Result<std::shared_ptr<const Listing>> listing) {
    using Opened = Result<std::shared_ptr<OpenDirectory>>;
    if (!listing) return Opened(listing.error());
    size_t slash = location.path.rfind('/');
    std::string above = slash == std::string::npos ? "" : location.path.substr(0, slash);
    return Opened(std::make_shared<OpenDirectory>(
        OpenDirectory{location, inode, tree_.directory_number(above), *std::move(listing), parts_.clock.now()}));
  };
  auto list = [this, location](Ask ask) -> Result<std::shared_ptr<const Listing>> {
    Result<Listing> listing = rules_.list(location, ask);
    if (!listing) return listing.error();
    return std::make_shared<const Listing>(*std::move(listing));
  };
  // Of a registry its catalog is asked for; what every registry has is what is known.
  if (!location.host) return answer(open(list(Ask::last_known)));
  listings_->ask(id, "listing " + location.path, *location.host, options_.list_timeout, list,
                 [open, answer = std::move(answer)](auto listing) mutable { answer(open(std::move(listing))); });
}

Filesystem::Named Filesystem::named(const OpenDirectory& directory, size_t index) const {
  const ListedName& name = directory.listing->names[index];
  if (name.file) return {tree_.image_number(*name.file), false};
  const std::string& path = directory.location.path;
  return {tree_.directory_number(path.empty() ? name.name : path + "/" + name.name), true};
}

std::optional<Entry> Filesystem::known_entry(const OpenDirectory& directory, size_t index) {
  const ListedName& name = directory.listing->names[index];
  auto age = std::chrono::duration_cast<milliseconds>(parts_.clock.now() - directory.listed);
  milliseconds left = std::max(directory.listing->left - age, milliseconds(0));
  if (name.file) {
    std::shared_ptr<const ImageFacts> facts = tree_.known_image(*name.file);
    if (!facts) return std::nullopt;
    return remembered({std::move(facts), left});
  }
  std::optional<Location> child = child_location(directory.location, name.name);
  if (!child) return std::nullopt;
  return remembered({*std::move(child), left});
}

// --- OPEN ---

void Filesystem::open(QuestionId id, uint64_t inode, Once<Result<std::shared_ptr<ImageFile>>> answer) {
  std::shared_ptr<const ImageFacts> facts = image(inode);
  // Its documents were fetched by the LOOKUP, so this is a matter of two small files.
  if (Result<OpenImage> cached = archive_of(*facts, Ask::last_known)) {
    return answer(opened(inode, *facts, *std::move(cached)));
  }
  opens_->ask(
      id, "opening " + facts->identity.name() + " (" + facts->identity.manifest.digest.str() + ")",
      facts->identity.repository.host, options_.lookup_timeout,
      [this, facts](Ask ask) { return archive_of(*facts, ask); },
      [this, inode, facts, answer = std::move(answer)](Result<OpenImage> archive) mutable {
        if (!archive) return answer(archive.error());
        answer(opened(inode, *facts, *std::move(archive)));
      });
}

Result<Filesystem::OpenImage> Filesystem::archive_of(const ImageFacts& facts, Ask ask) {
  const ImageIdentity& identity = facts.identity;
  Result<ResolvedImage> resolved = resolver_.image(identity.repository, identity.tag, identity.manifest, ask);
  if (!resolved) return resolved.error();
  return std::make_shared<const ImageArchive>(image_archive(*resolved));
}

std::shared_ptr<ImageFile> Filesystem::opened(uint64_t inode, const ImageFacts& facts, OpenImage archive) {
  std::shared_ptr<ImageFetch> fetch;
  {
    MutexLock lock(mutex_);
    fetch = open_images_[inode].lock();
    if (!fetch) {
      std::erase_if(open_images_, [](const auto& open) { return open.second.expired(); });
      fetch = parts_.fetcher.open(std::move(archive), facts.identity.repository, facts.identity.name());
      open_images_[inode] = fetch;
    }
  }
  return std::make_shared<ImageFile>(std::move(fetch), read_services_);
}

}  // namespace regfs::fs
