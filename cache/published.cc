// SPDX-License-Identifier: MIT
#include "cache/published.h"

namespace regfs::cache {
namespace {

constexpr uint64_t kMaxSealBytes = 256;  // a seal is at most 100

}  // namespace

std::vector<Digest> digests_in(const Disk& disk, const std::string& directory) {
  std::vector<Digest> digests;
  Result<std::vector<std::string>> names = disk.list(directory);
  if (!names) return digests;
  for (const std::string& name : *names) {
    Result<Digest> digest = Digest::parse("sha256:" + name);
    if (digest) digests.push_back(*digest);
  }
  return digests;
}

Published::Published(std::shared_ptr<Disk> disk, std::shared_ptr<SmallFiles> small_files, const Layout& layout)
    : disk_(std::move(disk)), small_files_(std::move(small_files)), layout_(layout) {}

Result<std::optional<Published::File>> Published::find(const Digest& digest) {
  std::string path = layout_.blob(digest);
  Result<std::unique_ptr<DiskFile>> opened = disk_->open(path, OpenFor::reading);
  bool link = !opened && opened.error().code() == std::errc::too_many_symbolic_link_levels;
  if (!opened && is_missing(opened.error())) return std::optional<File>();
  if (!opened && !link) return opened.error();
  Result<FileFacts> facts = opened ? (*opened)->facts() : FileFacts{};
  if (!facts) return facts.error();
  if (!facts->regular) {
    Result<void> removed = disk_->remove(path);
    if (!removed) return removed.error();
    return std::optional<File>();
  }
  // As long as it is open nobody evicts it; who is just about to do so has it no more.
  Result<bool> kept = (*opened)->try_lock_range(kInUse, DiskFile::RangeLock::shared);
  if (kept && !*kept) return std::optional<File>();
  Result<std::optional<std::string>> seal = small_files_->read(layout_.seal(digest), kMaxSealBytes);
  if (!seal) return seal.error();
  return std::optional<File>(File{std::move(*opened), *facts, *seal ? parse_seal(**seal) : std::nullopt});
}

std::shared_ptr<const void> Published::pin(const Digest& digest) {
  Result<std::unique_ptr<DiskFile>> opened = disk_->open(layout_.blob(digest), OpenFor::reading);
  if (!opened) return nullptr;
  (void)(*opened)->try_lock_range(kInUse, DiskFile::RangeLock::shared);
  return std::shared_ptr<const DiskFile>(*std::move(opened));
}

void Published::used(const Digest& digest) {
  (void)disk_->touch(layout_.seal(digest));  // where that fails it is evicted earlier
}

uint64_t Published::size_bytes(const Digest& digest) const {
  Result<FileFacts> facts = disk_->facts(layout_.blob(digest));
  return facts && facts->regular ? facts->size_bytes : 0;
}

Result<void> Published::publish(const Digest& digest, PartFile& part) {
  Result<FileFacts> facts = part.publish(layout_.blobs_directory());
  if (!facts) return facts.error();
  (void)write_seal(digest, *facts);  // published it is; without a seal it is verified once more
  return {};
}

Result<void> Published::publish(const Digest& digest, const std::string& bytes) {
  Result<FileFacts> facts = small_files_->write(layout_.blob(digest), bytes, SmallFiles::Durability::synced);
  if (!facts) return facts.error();
  (void)write_seal(digest, *facts);
  return {};
}

Result<void> Published::seal(const Digest& digest, const DiskFile& file) {
  Result<FileFacts> facts = file.facts();
  if (!facts) return facts.error();
  return write_seal(digest, *facts);
}

Result<void> Published::write_seal(const Digest& digest, const FileFacts& facts) {
  // Not synced: a seal that is lost costs one more verification.
  Result<FileFacts> written =
      small_files_->write(layout_.seal(digest), to_text(Seal::of(facts)), SmallFiles::Durability::renamed);
  if (!written) return written.error();
  return {};
}

void Published::drop(const Digest& digest, const DiskFile& wrong) {
  Result<FileFacts> named = disk_->facts(layout_.blob(digest));
  Result<FileFacts> held = wrong.facts();
  if (!named || !held || !named->same_file(*held)) return;
  (void)disk_->remove(layout_.seal(digest));
  (void)disk_->remove(layout_.blob(digest));
}

}  // namespace regfs::cache
