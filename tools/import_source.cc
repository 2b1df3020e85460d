// SPDX-License-Identifier: MIT
#include "tools/import_source.h"

#include <filesystem>
#include <utility>

#include "base/log.h"
#include "tools/tar_index.h"

namespace regfs {
namespace {

using Found = std::optional<ImportFile>;

Error no_regular_file(const std::string& name) {
  return Error(Errc::malformed, "'" + escape_controls(name) + "' is no regular file; links are not followed");
}

class TarSource : public ImportSource {
 public:
  TarSource(std::shared_ptr<const cache::DiskFile> file, TarIndex index)
      : file_(std::move(file)), index_(std::move(index)) {}

  Result<Found> find(const std::string& name) const override {
    const auto entry = index_.find(name);
    if (entry == index_.end()) return Found();
    if (entry->second.link) return no_regular_file(name);
    return Found(ImportFile{file_, entry->second.offset, entry->second.size_bytes});
  }

 private:
  const std::shared_ptr<const cache::DiskFile> file_;
  const TarIndex index_;
};

class DirectorySource : public ImportSource {
 public:
  explicit DirectorySource(std::string directory) : directory_(std::move(directory)), disk_(cache::system_disk()) {}

  Result<Found> find(const std::string& name) const override {
    std::string path = directory_;
    const std::filesystem::path relative(name);
    if (name.empty() || relative.is_absolute()) return leads_out(name);
    for (const std::filesystem::path& part : relative) {
      if (part == "..") return leads_out(name);
      path += "/" + part.string();
      // No folder on the way is a link either: what it leads to was not handed in.
      Result<cache::FileFacts> facts = disk_->facts(path);
      if (!facts && cache::is_missing(facts.error())) return Found();
      if (!facts) return facts.error();
      if (!facts->regular && !facts->directory) return no_regular_file(name);
    }
    Result<std::unique_ptr<cache::DiskFile>> file = disk_->open(path, cache::OpenFor::reading);
    if (!file) return file.error();
    Result<cache::FileFacts> facts = (*file)->facts();
    if (!facts) return facts.error();
    if (!facts->regular) return no_regular_file(name);
    return Found(ImportFile{std::shared_ptr<const cache::DiskFile>(*std::move(file)), 0, facts->size_bytes});
  }

 private:
  static Error leads_out(const std::string& name) {
    return Error(Errc::malformed, "'" + escape_controls(name) + "' leads out of the directory");
  }

  const std::string directory_;
  const std::shared_ptr<cache::Disk> disk_;
};

Result<std::unique_ptr<ImportSource>> open_tar(const std::string& path) {
  Result<std::unique_ptr<cache::DiskFile>> opened = cache::system_disk()->open(path, cache::OpenFor::reading);
  if (!opened) return opened.error();
  const std::shared_ptr<const cache::DiskFile> file = *std::move(opened);
  Result<cache::FileFacts> facts = file->facts();
  if (!facts) return facts.error();
  if (!facts->regular) {
    return Error(Errc::invalid_argument, path + " is neither a file nor a directory; save what comes through a pipe");
  }
  Result<TarIndex> index = read_tar_index(
      facts->size_bytes, [&](uint64_t at, std::span<std::byte> out) { return read_exactly(*file, at, out); });
  if (!index) return index.error().while_doing(path);
  return std::unique_ptr<ImportSource>(std::make_unique<TarSource>(file, *std::move(index)));
}

}  // namespace

Result<std::string> ImportFile::text(uint64_t most_bytes) const {
  if (size_bytes > most_bytes) {
    return Error(Errc::too_large,
                 "it has " + std::to_string(size_bytes) + " bytes, more than " + std::to_string(most_bytes));
  }
  std::string bytes(size_bytes, '\0');
  Result<void> done = read(0, std::as_writable_bytes(std::span(bytes)));
  if (!done) return done.error();
  return bytes;
}

Result<std::unique_ptr<ImportSource>> ImportSource::open(const std::string& path) {
  std::error_code failed;
  // The user's own word may be a link.
  const std::filesystem::path real = std::filesystem::canonical(path, failed);
  if (failed == std::errc::no_such_file_or_directory) return Error(Errc::not_found, "there is no " + path);
  if (failed) return Error(failed, "cannot open " + path);
  if (!std::filesystem::is_directory(real, failed)) return open_tar(real.string());
  return std::unique_ptr<ImportSource>(std::make_unique<DirectorySource>(real.string()));
}

}  // namespace regfs
