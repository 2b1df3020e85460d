// SPDX-License-Identifier: MIT
#include "cache/evictor.h"

#include <algorithm>
#include <tuple>

#include "cache/part_file.h"
#include "cache/published.h"

namespace regfs::cache {

std::vector<Evictor::Item> Evictor::weigh() const {
  std::vector<Item> items;
  add_blobs(items);
  add_parts(items);
  std::sort(items.begin(), items.end(), [](const Item& one, const Item& other) {
    auto rank = [](const Item& item) {
      bool document = !item.part && item.size_bytes <= kSmallBlobBytes;
      return std::make_tuple(document, item.last_use, std::cref(item.path));
    };
    return rank(one) < rank(other);
  });
  return items;
}

void Evictor::add_blobs(std::vector<Item>& items) const {
  for (const Digest& digest : digests_in(*disk_, layout_.blobs_directory())) {
    Result<FileFacts> facts = disk_->facts(layout_.blob(digest));
    if (!facts || !facts->regular) continue;
    Result<FileFacts> seal = disk_->facts(layout_.seal(digest));
    int64_t last_use = seal ? seal->mtime_nanoseconds : facts->mtime_nanoseconds;
    items.push_back({digest, facts->size_bytes, facts->allocated_bytes, last_use, false, layout_.blob(digest)});
  }
}

void Evictor::add_parts(std::vector<Item>& items) const {
  Result<std::vector<std::string>> names = disk_->list(layout_.parts_directory());
  if (!names) return;
  for (const std::string& file_name : *names) {
    std::optional<PartName> name = parse_part_name(file_name);
    if (!name || name->kind == PartName::Kind::ranges) continue;
    std::string path = layout_.parts_directory() + "/" + file_name;
    Result<FileFacts> facts = disk_->facts(path);
    if (!facts || !facts->regular) continue;
    items.push_back({name->digest, name->size_bytes, facts->allocated_bytes, facts->mtime_nanoseconds, true, path});
  }
}

std::vector<Evictor::Item> Evictor::evict(const std::vector<Item>& items, uint64_t bytes) {
  std::vector<Item> gone;
  uint64_t freed = 0;
  for (const Item& item : items) {
    if (freed >= bytes) break;
    if (!remove(item)) continue;
    freed += item.allocated_bytes;
    gone.push_back(item);
  }
  return gone;
}

bool Evictor::remove(const Item& item) {
  Result<std::unique_ptr<DiskFile>> file = disk_->open(item.path, OpenFor::writing);
  if (!file) return false;
  Result<bool> unused = (*file)->try_lock_range(kInUse, DiskFile::RangeLock::exclusive);
  Result<FileFacts> named = disk_->facts(item.path);
  Result<FileFacts> held = (*file)->facts();
  if (!unused || !*unused || !named || !held || !named->same_file(*held)) return false;
  // What speaks of it goes first: it is never to speak of another file of that name.
  (void)disk_->remove(item.part ? layout_.ranges(item.path) : layout_.seal(item.digest));
  return disk_->remove(item.path).has_value();
}

uint64_t total_allocated(const std::vector<Evictor::Item>& items) {
  uint64_t bytes = 0;
  for (const Evictor::Item& item : items) bytes += item.allocated_bytes;
  return bytes;
}

}  // namespace regfs::cache
