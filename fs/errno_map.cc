// SPDX-License-Identifier: MIT
#include "fs/errno_map.h"

#include <cerrno>

namespace regfs::fs {
namespace {

// No default: a new Errc does not compile until someone has chosen its errno.
int errno_of(Errc code) {
  switch (code) {
    case Errc::not_found: return ENOENT;
    case Errc::unauthorized: return EACCES;
    case Errc::forbidden: return EACCES;
    case Errc::rate_limited: return EBUSY;
    case Errc::unreachable: return EHOSTUNREACH;
    case Errc::timed_out: return ETIMEDOUT;
    case Errc::server_error: return EREMOTEIO;
    case Errc::bad_response: return EIO;
    case Errc::malformed: return EPROTO;
    case Errc::too_large: return EPROTO;
    case Errc::digest_mismatch: return EIO;
    case Errc::wrong_length: return EIO;
    case Errc::missing_content: return EIO;
    case Errc::unsupported: return EOPNOTSUPP;
    case Errc::invalid_argument: return EINVAL;
    case Errc::cancelled: return EINTR;
    case Errc::shutting_down: return ESHUTDOWN;
  }
  return EIO;
}

bool from_system(const std::error_code& code) {
  return code.category() == std::generic_category() || code.category() == std::system_category();
}

}  // namespace

int to_errno(const Error& error) {
  const std::error_code& code = error.code();
  if (code.category() == regfs_category()) return errno_of(static_cast<Errc>(code.value()));
  if (!from_system(code) || code.value() <= 0 || code.value() == ENOSYS) return EIO;
  // Of the cache's own files; that a name does not exist is the registry's to say.
  if (code.value() == ENOENT || code.value() == ENOTDIR) return EIO;
  return code.value();
}

}  // namespace regfs::fs
