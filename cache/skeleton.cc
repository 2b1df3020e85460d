// SPDX-License-Identifier: MIT
#include "cache/skeleton.h"

#include <unistd.h>

#include <filesystem>

namespace regfs::cache {
namespace {

constexpr uint64_t kMaxMarkerBytes = 256;  // a marker is 22

Error unusable(const Layout& layout, const Error& why) {
  return why.while_doing("the cache directory " + layout.root() +
                         " cannot be used (choose another with --cache-dir, or make this one writable)");
}

Result<void> check_format(const SmallFiles& small_files, const Layout& layout) {
  Result<std::optional<std::string>> text = small_files.read(layout.marker(), kMaxMarkerBytes);
  if (!text) return unusable(layout, text.error());
  std::optional<int> format = *text ? parse_marker(**text) : std::nullopt;
  if (!format || *format <= kCacheFormat) return {};
  return Error{Errc::unsupported, "the cache directory " + layout.root() + " has format " + std::to_string(*format) +
                                      ", this regfs knows only " + std::to_string(kCacheFormat) +
                                      ": it belongs to a newer regfs; upgrade, or choose another with --cache-dir"};
}

Result<void> write_if_missing(SmallFiles& small_files, const std::string& path, const std::string& text) {
  Result<std::optional<std::string>> there = small_files.read(path, kMaxMarkerBytes);
  if (!there) return there.error();
  // An empty one is what a power failure can leave of a file that was never synced.
  if (*there && !(*there)->empty()) return {};
  Result<FileFacts> written = small_files.write(path, text, SmallFiles::Durability::renamed);
  if (!written) return written.error();
  return {};
}

Result<void> write_skeleton(Disk& disk, SmallFiles& small_files, const Layout& layout) {
  for (const std::string& directory : {layout.blobs_directory(), layout.seals_directory(), layout.parts_directory(),
                                       layout.new_files_directory(), layout.refs_directory()}) {
    Result<void> made = disk.make_directory(directory);
    if (!made) return made;
  }
  Result<void> written = write_if_missing(small_files, layout.marker(), marker_text(kCacheFormat));
  if (written) written = write_if_missing(small_files, layout.oci_layout(), R"({"imageLayoutVersion":"1.0.0"})");
  if (written) {
    written = write_if_missing(small_files, layout.oci_index(), R"({"schemaVersion":2,"manifests":[]})");
  }
  return written;
}

void warn_if_open(const Disk& disk, const Layout& layout, Log& log) {
  Result<FileFacts> facts = disk.facts(layout.root());
  if (!facts || !facts->directory) return;
  constexpr uint32_t kWritableByOthers = 022;
  if (facts->owner != ::geteuid()) {
    log.warning("the cache directory " + layout.root() + " belongs to another user, who can change what is in it");
  } else if (facts->permissions & kWritableByOthers) {
    log.warning("other users can write the cache directory " + layout.root() + "; run 'chmod 700' on it");
  }
}

}  // namespace

Result<std::string> root_of(const std::string& directory) {
  std::error_code failed;
  std::filesystem::path root = std::filesystem::absolute(directory, failed).lexically_normal();
  if (failed || directory.empty()) return Error{Errc::invalid_argument, "'" + directory + "' is no cache directory"};
  if (!root.has_filename()) root = root.parent_path();  // "/cache/" is "/cache"
  return root.string();
}

Result<void> check_existing_directory(const Disk& disk, const SmallFiles& small_files, const Layout& layout) {
  Result<FileFacts> root = disk.facts(layout.root());
  if (!root && is_missing(root.error())) {
    return Error{Errc::not_found,
                 "there is no cache directory " + layout.root() + " (another is named with --cache-dir)"};
  }
  Result<FileFacts> marker = disk.facts(layout.marker());
  if (!marker && is_missing(marker.error())) {
    return Error{Errc::not_found, layout.root() + " is no cache directory of regfs: there is no " + layout.marker() +
                                      " (another is named with --cache-dir)"};
  }
  if (!marker) return unusable(layout, marker.error());
  return check_format(small_files, layout);
}

Result<void> prepare_directory(Disk& disk, SmallFiles& small_files, const Layout& layout, Log& log) {
  Result<void> made = disk.make_directory(layout.root());
  if (!made) return unusable(layout, made.error());
  Result<void> known = check_format(small_files, layout);
  if (!known) return known;
  Result<void> written = write_skeleton(disk, small_files, layout);
  if (!written) return unusable(layout, written.error());
  Result<void> writable = small_files.probe();
  if (!writable && !is_full(writable.error())) return unusable(layout, writable.error());
  if (!writable) log.warning("the disk of the cache directory " + layout.root() + " is full");
  warn_if_open(disk, layout, log);
  return {};
}

}  // namespace regfs::cache
