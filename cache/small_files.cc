// SPDX-License-Identifier: MIT
#include "cache/small_files.h"

#include <unistd.h>

#include <filesystem>

namespace regfs::cache {

SmallFiles::SmallFiles(std::shared_ptr<Disk> disk, const Layout& layout)
    : disk_(std::move(disk)), directory_(layout.new_files_directory()) {}

Result<SmallFiles::NewFile> SmallFiles::create() {
  for (;;) {
    std::string path = directory_ + "/" + std::to_string(::getpid()) + "." + std::to_string(next_++);
    Result<std::unique_ptr<DiskFile>> file = disk_->open(path, OpenFor::writing_new);
    if (!file && file.error().code() == std::errc::file_exists) continue;
    if (!file) return file.error();
    Result<bool> locked = (*file)->try_lock();
    if (!locked) return locked.error();
    if (*locked) return NewFile{std::move(path), std::move(*file)};
    // A sweep came between the two calls and takes it for debris; so be it.
  }
}

Result<FileFacts> SmallFiles::write_and_rename(NewFile& created, const std::string& path, std::string_view bytes,
                                               Durability durability) {
  Result<void> written = write_all(*created.file, 0, std::as_bytes(std::span(bytes)));
  if (!written) return written.error();
  if (durability == Durability::synced) {
    Result<void> synced = created.file->sync();
    if (!synced) return synced.error();
  }
  Result<void> renamed = disk_->rename(created.path, path);
  if (!renamed) return renamed.error();
  if (durability == Durability::synced) {
    Result<void> synced = disk_->sync_directory(std::filesystem::path(path).parent_path().string());
    if (!synced) return synced.error();
  }
  return created.file->facts();
}

Result<FileFacts> SmallFiles::write(const std::string& path, std::string_view bytes, Durability durability) {
  for (bool again = false;; again = true) {
    Result<NewFile> created = create();
    if (!created) return created.error().while_doing("writing " + path);
    Result<FileFacts> facts = write_and_rename(*created, path, bytes, durability);
    if (facts) return facts;
    (void)disk_->remove(created->path);
    // Another process may have swept the new file away before it was locked.
    if (again || !is_missing(facts.error())) return facts.error().while_doing("writing " + path);
  }
}

Result<std::optional<std::string>> SmallFiles::read(const std::string& path, uint64_t max_bytes) const {
  using Text = std::optional<std::string>;
  Result<std::unique_ptr<DiskFile>> file = disk_->open(path, OpenFor::reading);
  if (!file) {
    bool no_file = is_missing(file.error()) || file.error().code() == std::errc::too_many_symbolic_link_levels;
    if (no_file) return Text();
    return file.error();
  }
  Result<FileFacts> facts = (*file)->facts();
  if (!facts) return facts.error();
  if (!facts->regular || facts->size_bytes > max_bytes) return Text();
  std::string text(facts->size_bytes, '\0');
  Result<void> read = read_exactly(**file, 0, std::as_writable_bytes(std::span(text)));
  if (!read) return read.error();
  return Text(std::move(text));
}

Result<void> SmallFiles::probe() {
  Result<NewFile> created = create();
  if (!created) return created.error();
  return disk_->remove(created->path);
}

void SmallFiles::sweep() {
  Result<std::vector<std::string>> names = disk_->list(directory_);
  if (!names) return;
  for (const std::string& name : *names) {
    std::string path = directory_ + "/" + name;
    Result<std::unique_ptr<DiskFile>> file = disk_->open(path, OpenFor::reading);
    if (!file) continue;
    Result<bool> ours = (*file)->try_lock();
    if (ours && *ours) (void)disk_->remove(path);
  }
}

}  // namespace regfs::cache
