// SPDX-License-Identifier: MIT
// The exit codes of the tools, after sysexits(3): the manual's EXIT STATUS lists them. Pure; any thread.
#pragma once

#include "base/error.h"

namespace regfs {

inline constexpr int kUsage = 64;        // the words of the command line
inline constexpr int kBadData = 65;      // bytes or documents that are not what they must be
inline constexpr int kNotFound = 66;     // as the registry reports it
inline constexpr int kUnavailable = 69;  // no connection, no such host
inline constexpr int kInternal = 70;
inline constexpr int kCannotCreate = 73;  // the archive
inline constexpr int kDiskFailure = 74;   // writing or reading, a full disk
inline constexpr int kTryLater = 75;      // too many requests, a server's failure, a time-out
inline constexpr int kNotARegistry = 76;  // an answer that is none
inline constexpr int kDenied = 77;        // as the registry reports it
inline constexpr int kSignalled = 128;    // and the number of the signal

// For an error of a registry or of the cache; one that came from the system is kDiskFailure.
int exit_code(const Error& error);

}  // namespace regfs
