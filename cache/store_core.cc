// SPDX-License-Identifier: MIT
#include "cache/store_core.h"

#include <vector>

namespace regfs::cache {
namespace {

// An unmount is promised within 5 s, so a slow disk gets no more.
constexpr std::chrono::milliseconds kLastPublishing{1'500};

Error lying_descriptor(const Digest& digest, uint64_t right, uint64_t claimed) {
  return {Errc::wrong_length, digest.str() + " has " + std::to_string(right) + " bytes, not " +
                                  std::to_string(claimed) + " as its descriptor says"};
}

}  // namespace

StoreCore::StoreCore(std::shared_ptr<Disk> disk, std::shared_ptr<SmallFiles> small_files, const Layout& layout,
                     const Clock& clock, Log& log, const StoreOptions& options)
    : disk_(disk),
      layout_(layout),
      withhold_(options.withhold),
      clock_(clock),
      log_(log),
      parts_(disk, small_files, layout),
      published_(disk, small_files, layout),
      room_(
          disk, layout, options.budget_bytes, [this](const auto& items) { evicted(items); },
          [this] { passed_budget(); }),
      usage_(disk, small_files, layout),
      verifier_(log),
      publisher_("publish", 1, 1, log),
      sharer_("share", 1, 1, log),
      timer_(&log) {}

void StoreCore::sweep() {
  for (const PartShelf::Kept& kept : parts_.sweep()) {
    if (published_.size_bytes(kept.digest) == kept.size_bytes) {  // another process was faster
      parts_.remove_useless(kept.digest, kept.size_bytes);
    } else {
      MutexLock lock(mutex_);
      part_bytes_[{kept.digest, kept.size_bytes}] = kept.present_bytes;
    }
  }
}

// --- blobs ---

Result<std::shared_ptr<Blob>> StoreCore::blob(const Digest& digest, uint64_t size_bytes,
                                              std::optional<uint64_t> held_bytes) {
  Key key{digest, size_bytes};
  if (std::optional<Error> lie = contradicted(key)) return *lie;
  Result<std::shared_ptr<BlobImpl>> live = live_or_mine(key);
  if (!live) return live.error();
  if (*live) return std::shared_ptr<Blob>(std::move(*live));

  Result<std::shared_ptr<BlobImpl>> made = make_blob(key, held_bytes);
  if (!made) return made.error();  // its let_go() has made room for the next try
  (*made)->start();
  std::optional<Error> too_late;
  {
    MutexLock lock(mutex_);
    blobs_[key] = *made;
    too_late = shut_;
    changed_.notify_all();
  }
  if (too_late) (*made)->shut_down(*too_late);
  if (!(*made)->complete()) exchange_later();
  return std::shared_ptr<Blob>(std::move(*made));
}

std::optional<Error> StoreCore::contradicted(const Key& key) const {
  std::vector<std::shared_ptr<BlobImpl>> others;  // let go after the lock: a destructor comes back in
  {
    MutexLock lock(mutex_);
    for (auto it = blobs_.lower_bound({key.first, 0}); it != blobs_.end() && it->first.first == key.first; ++it) {
      if (it->first == key) continue;
      if (std::shared_ptr<BlobImpl> other = it->second.lock()) others.push_back(std::move(other));
    }
  }
  for (const std::shared_ptr<BlobImpl>& other : others) {
    if (other->complete()) return lying_descriptor(key.first, other->size_bytes(), key.second);
  }
  return std::nullopt;
}

Result<std::shared_ptr<BlobImpl>> StoreCore::live_or_mine(const Key& key) {
  MutexLock lock(mutex_);
  for (;;) {
    if (shut_) return *shut_;
    auto [it, fresh] = blobs_.try_emplace(key);
    if (fresh) return std::shared_ptr<BlobImpl>();
    if (std::shared_ptr<BlobImpl> live = it->second.lock()) return live;
    changed_.wait(lock);
  }
}

Result<std::shared_ptr<BlobImpl>> StoreCore::make_blob(const Key& key, std::optional<uint64_t> held_bytes) {
  auto blob = std::make_shared<BlobImpl>(shared_from_this(), key.first, key.second, withhold_);
  if (key.second == 0) return blob;  // needs no file
  Result<bool> begun = begin_from_published(*blob, key);
  if (begun && !*begun) {
    // What is withheld until all of it is verified cannot pass.
    if (held_bytes && withhold_ == Withhold::window && key.second > kWithheldWholeBytes) {
      blob->begin_stream(*held_bytes);
      log_.warning(key.first.str() + " (" + std::to_string(key.second >> 20) +
                   " MiB) is of an image that does not fit in the cache (--cache-size, or the disk): it is read as a "
                   "stream, and not kept");
    } else {
      begun = begin_from_part(*blob, key);
    }
  }
  if (begun) return blob;
  return begun.error().while_doing("opening the cached " + key.first.str());
}

Result<bool> StoreCore::begin_from_published(BlobImpl& blob, const Key& key) {
  Result<std::optional<Published::File>> found = published_.find(key.first);
  if (!found) return found.error();
  if (!*found) return false;
  Published::File& cached = **found;
  bool right_size = cached.facts.size_bytes == key.second;
  if (cached.sealed() && !right_size) return lying_descriptor(key.first, cached.facts.size_bytes, key.second);
  published_.used(key.first);
  if (cached.sealed()) {
    blob.begin_complete(std::move(cached.file));
  } else if (!right_size && cached.seal && cached.seal->size_bytes == key.second) {
    found_wrong(key.first, *cached.file, "its length was changed");
    return false;
  } else {
    blob.begin_checking(std::move(cached.file), cached.facts.size_bytes);
  }
  return true;
}

Result<bool> StoreCore::begin_from_part(BlobImpl& blob, const Key& key) {
  if (std::optional<Remains> remains = take_resting(key)) {
    blob.begin_resumed(std::move(remains->part), std::move(remains->present));
    return true;
  }
  // Made now, so that no byte is claimed which another process brings. Where none can be made, the first write says so.
  Result<PartShelf::Found> found = parts_.open(key.first, key.second);
  if (!found) return false;
  // An empty one may be new, since another process has published the one before just now.
  Result<bool> published = found->present.empty() ? begin_from_published(blob, key) : false;
  if (published && !*published) {
    blob.begin_resumed(std::move(found->part), std::move(found->present));
    return true;
  }
  found->part->discard_unless_shared();
  return published;
}

uint64_t StoreCore::present_bytes(const Digest& digest, uint64_t size_bytes) {
  std::shared_ptr<BlobImpl> live;
  uint64_t in_part = 0;
  {
    MutexLock lock(mutex_);
    auto blob = blobs_.find({digest, size_bytes});
    if (blob != blobs_.end()) live = blob->second.lock();
    auto part = part_bytes_.find({digest, size_bytes});
    if (part != part_bytes_.end()) in_part = part->second;
  }
  if (live) return live->present_bytes();
  return published_.size_bytes(digest) == size_bytes ? size_bytes : in_part;
}

// --- documents ---

std::optional<std::string> StoreCore::document(const Digest& digest, uint64_t max_bytes) {
  Result<std::optional<Published::File>> found = published_.find(digest);
  if (!found || !*found || (*found)->facts.size_bytes > max_bytes) return std::nullopt;
  const Published::File& cached = **found;
  std::string bytes(cached.facts.size_bytes, '\0');
  Result<void> read = read_exactly(*cached.file, 0, std::as_writable_bytes(std::span(bytes)));
  if (!read || sha256_of(bytes) != digest) {
    found_wrong(digest, *cached.file, read ? "its bytes have another digest" : read.error().context());
    return std::nullopt;
  }
  if (!cached.sealed()) found_right(digest, *cached.file);
  published_.used(digest);
  return bytes;
}

Result<void> StoreCore::put_document(const Digest& digest, const std::string& bytes) {
  Digest found = sha256_of(bytes);
  if (found != digest) {
    return Error{Errc::digest_mismatch, "a document was to be " + digest.str() + " and is " + found.str()};
  }
  {
    MutexLock lock(mutex_);
    if (shut_) return *shut_;
  }
  Result<std::optional<Published::File>> there = published_.find(digest);
  if (there && *there && (*there)->sealed()) return {};
  Result<void> published = published_.publish(digest, bytes);
  if (published || !is_full(published.error())) return published;
  Result<void> made = room_.make(bytes.size());
  return made ? published_.publish(digest, bytes) : published;
}

// --- the end ---

void StoreCore::on_dropped(std::function<void(const Digest&)> observer) {
  MutexLock lock(mutex_);
  observer_ = std::move(observer);
}

void StoreCore::on_evicted(std::function<void(const std::vector<Digest>&)> observer) {
  {
    MutexLock lock(mutex_);
    eviction_observer_ = std::move(observer);
  }
  sharer_.submit([this] { watch(); });
}

bool StoreCore::settle(std::chrono::milliseconds patience) {
  // A verifier hands on what it has found right before its turn ends.
  return verifier_.drain(patience) && publisher_.drain(patience);
}

void StoreCore::shutdown(const Error& error) {
  std::vector<std::shared_ptr<BlobImpl>> live;
  {
    MutexLock lock(mutex_);
    if (shut_) return;
    shut_ = error;
    for (auto& [key, blob] : blobs_) {
      if (std::shared_ptr<BlobImpl> held = blob.lock()) live.push_back(std::move(held));
    }
    changed_.notify_all();
  }
  for (const std::shared_ptr<BlobImpl>& blob : live) blob->shut_down(error);
  // What is verified gets a moment to be published: a cache that was just filled is whole after the mount has ended.
  timer_.stop();
  sharer_.stop();
  verifier_.stop();
  publisher_.drain(kLastPublishing);
  stop_threads();
  // What the publish thread had no time for. Not synced: the answer to SIGTERM must not wait for a slow disk.
  for (const std::shared_ptr<BlobImpl>& blob : live) blob->record_part();
  std::map<Key, Remains> resting;
  {
    MutexLock lock(mutex_);
    resting.swap(resting_);
  }
  for (auto& [key, remains] : resting) (void)remains.part->record(remains.present, PartFile::Sync::no);
  usage_.store();
}

void StoreCore::stop_threads() {
  timer_.stop();
  sharer_.stop();
  verifier_.stop();
  publisher_.stop();
}

}  // namespace regfs::cache
