// SPDX-License-Identifier: MIT
// Makes a directory a cache directory, or says why it cannot be one and what to do.
#pragma once

#include <string>

#include "base/log.h"
#include "base/result.h"
#include "cache/layout.h"
#include "cache/small_files.h"

namespace regfs::cache {

// The directory as an absolute path without a slash at its end: the root of its Layout. Errc::invalid_argument for what
// can be none.
Result<std::string> root_of(const std::string& directory);

// The directory (0700) and what stands in every one: the marker, the OCI layout files, the folders.
// Refuses a newer format, what is no directory and what cannot be written. A full disk is no reason to
// refuse a cache that is already there: what it holds can still be read. Logs a warning when others
// could write it.
Result<void> prepare_directory(Disk& disk, SmallFiles& small_files, const Layout& layout, Log& log);

// Refuses a directory of a newer format, and what is no cache directory (Errc::not_found). Makes nothing.
Result<void> check_existing_directory(const Disk& disk, const SmallFiles& small_files, const Layout& layout);

}  // namespace regfs::cache
