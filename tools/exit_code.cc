// SPDX-License-Identifier: MIT
#include "tools/exit_code.h"

namespace regfs {

int exit_code(const Error& error) {
  if (error.code().category() != regfs_category()) return kDiskFailure;
  switch (static_cast<Errc>(error.code().value())) {
    case Errc::not_found: return kNotFound;
    case Errc::unauthorized:
    case Errc::forbidden: return kDenied;
    case Errc::unreachable: return kUnavailable;
    case Errc::rate_limited:
    case Errc::timed_out:
    case Errc::server_error: return kTryLater;
    case Errc::bad_response: return kNotARegistry;
    case Errc::malformed:
    case Errc::too_large:
    case Errc::digest_mismatch:
    case Errc::wrong_length:
    case Errc::missing_content:
    case Errc::unsupported: return kBadData;
    case Errc::invalid_argument: return kUsage;
    case Errc::cancelled:
    case Errc::shutting_down: break;
  }
  return kInternal;
}

}  // namespace regfs
