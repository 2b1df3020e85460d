// SPDX-License-Identifier: MIT
// A Disk that keeps nothing: its names live in memory, its large files have none on the real disk.
//
// For --no-cache. Whatever ends the process, the kernel then gives the room back: the files were made with O_TMPFILE,
// or, where a filesystem does not know that, unlinked as soon as they were made. Small documents are held in memory.
// A store works on it as on any other disk; nothing is ever synced, for nothing is to last. Safe to use from any
// thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cache/disk.h"

namespace regfs::cache {

// `large_below`: files made there are files of `directory`, which exists, without a name; all others are held in
// memory. Names of neither exist on the real disk. No `directory`: there are no large files.
std::shared_ptr<Disk> unlinked_disk(std::shared_ptr<Disk> real, std::optional<std::string> directory,
                                    std::string large_below);

// The nearest of `path` and what is above it that exists, where nameless files can be made for a cache that does not.
// An error says what to do.
Result<std::string> directory_for_unlinked(Disk& real, const std::string& path);

}  // namespace regfs::cache
