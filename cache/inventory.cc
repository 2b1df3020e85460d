// SPDX-License-Identifier: MIT
#include "cache/inventory.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/sha256.h"
#include "cache/part_shelf.h"
#include "cache/room.h"
#include "cache/skeleton.h"
#include "cache/verifier.h"

namespace regfs::cache {

Result<std::unique_ptr<Inventory>> Inventory::open(const std::string& directory, std::shared_ptr<Disk> disk) {
  Result<std::string> root = root_of(directory);
  if (!root) return root.error();
  auto inventory = std::make_unique<Inventory>(std::move(disk), Layout(*root));
  Result<void> existing = check_existing_directory(*inventory->disk_, *inventory->small_files_, inventory->layout_);
  if (!existing) return existing.error();
  return inventory;
}

Inventory::Inventory(std::shared_ptr<Disk> disk, const Layout& layout)
    : disk_(std::move(disk)),
      small_files_(std::make_shared<SmallFiles>(disk_, layout)),
      layout_(layout),
      part_tools_{disk_, small_files_, disk_->boot_id()},
      published_(disk_, small_files_, layout),
      evictor_(disk_, layout) {}

std::vector<Inventory::Item> Inventory::items() const {
  std::vector<Item> items;
  for (const Evictor::Item& found : evictor_.weigh()) {
    items.push_back({found.digest, found.size_bytes, found.part ? present_bytes(found) : found.size_bytes,
                     found.allocated_bytes, found.last_use, !found.part});
  }
  std::stable_sort(items.begin(), items.end(),
                   [](const Item& one, const Item& other) { return one.last_use > other.last_use; });
  return items;
}

uint64_t Inventory::present_bytes(const Evictor::Item& item) const {
  Result<std::unique_ptr<DiskFile>> file = disk_->open(item.path, OpenFor::reading);
  if (!file) return 0;
  std::optional<PartRecord> record = trusted_record(part_tools_, layout_.ranges(item.path), item.size_bytes, **file);
  return record ? record->present.total() : 0;
}

std::optional<std::string> Inventory::path_of(const Digest& digest) const {
  Result<FileFacts> facts = disk_->facts(layout_.blob(digest));
  if (!facts || !facts->regular) return std::nullopt;
  return layout_.blob(digest);
}

std::optional<std::string> Inventory::document(const Digest& digest, uint64_t max_bytes) const {
  Result<std::optional<std::string>> bytes = small_files_->read(layout_.blob(digest), max_bytes);
  if (!bytes || !*bytes || sha256_of(**bytes) != digest) return std::nullopt;
  return *std::move(bytes);
}

// --- verification ---

std::vector<Digest> Inventory::published() const {
  std::vector<Digest> all = digests_in(*disk_, layout_.blobs_directory());
  std::sort(all.begin(), all.end());
  return all;
}

Inventory::Checked Inventory::check(const Digest& digest, Repair repair, const Hashed& hashed) {
  const std::string path = layout_.blob(digest);
  Result<FileFacts> named = disk_->facts(path);
  if (!named && is_missing(named.error())) return {Verdict::gone, {}};
  if (!named) return {Verdict::unchecked, named.error().context()};
  if (!named->regular) {
    const bool removed = repair == Repair::yes && disk_->remove(path);
    return {Verdict::wrong, "it is no regular file", removed};
  }
  Result<std::optional<Published::File>> found = published_.find(digest);
  if (!found) return {Verdict::unchecked, found.error().context()};
  if (!*found) return {Verdict::gone, {}};
  const DiskFile& file = *(*found)->file;
  Result<Digest> is = digest_of(file, 0, (*found)->facts.size_bytes, hashed);
  if (!is && is.error().code().value() != EIO) return {Verdict::unchecked, is.error().context()};
  if (!is) return dropped(digest, file, is.error().context(), repair);
  if (*is != digest) return dropped(digest, file, "its bytes hash to " + is->str(), repair);
  if (repair == Repair::yes && !(*found)->sealed()) (void)published_.seal(digest, file);
  return {Verdict::right, {}};
}

Inventory::Checked Inventory::dropped(const Digest& digest, const DiskFile& file, const std::string& why,
                                      Repair repair) {
  if (repair == Repair::no) return {Verdict::wrong, why};
  published_.drop(digest, file);
  Result<FileFacts> named = disk_->facts(layout_.blob(digest));
  Result<FileFacts> held = file.facts();
  const bool still_there = named && held && named->same_file(*held);
  return {Verdict::wrong, why, !still_there};
}

// --- room ---

uint64_t Inventory::default_bytes() const {
  return default_budget(*disk_, layout_);
}

Inventory::Evicted Inventory::evict_to(uint64_t bytes) {
  Evicted result;
  const std::vector<Evictor::Item> items = evictor_.weigh();
  const uint64_t before = total_allocated(items);
  if (before > bytes) {
    const std::vector<Evictor::Item> gone = evictor_.evict(items, before - bytes);
    result.freed_bytes = total_allocated(gone);
    result.parts = static_cast<uint64_t>(std::count_if(gone.begin(), gone.end(), [](const auto& i) { return i.part; }));
    result.blobs = gone.size() - result.parts;
  }
  result.left_bytes = before - result.freed_bytes;
  return result;
}

Inventory::Swept Inventory::sweep() {
  const std::map<std::string, uint64_t> before = sweepable();
  small_files_->sweep();
  (void)PartShelf(disk_, small_files_, layout_).sweep();
  remove_seals_of_nothing();
  Swept swept;
  for (const auto& [path, allocated_bytes] : before) {
    Result<FileFacts> left = disk_->facts(path);
    if (left || !is_missing(left.error())) continue;
    ++swept.files;
    swept.freed_bytes += allocated_bytes;
  }
  return swept;
}

void Inventory::remove_seals_of_nothing() {
  for (const Digest& digest : digests_in(*disk_, layout_.seals_directory())) {
    Result<FileFacts> blob = disk_->facts(layout_.blob(digest));
    // One that is published just now loses its seal, and is verified once more.
    if (!blob && is_missing(blob.error())) (void)disk_->remove(layout_.seal(digest));
  }
}

std::map<std::string, uint64_t> Inventory::sweepable() const {
  std::map<std::string, uint64_t> all;
  for (const std::string& directory :
       {layout_.new_files_directory(), layout_.parts_directory(), layout_.seals_directory()}) {
    Result<std::vector<std::string>> names = disk_->list(directory);
    if (!names) continue;
    for (const std::string& name : *names) {
      std::string path = directory + "/" + name;
      Result<FileFacts> facts = disk_->facts(path);
      if (facts) all.emplace(std::move(path), facts->allocated_bytes);
    }
  }
  return all;
}

}  // namespace regfs::cache
