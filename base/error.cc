// SPDX-License-Identifier: MIT
#include "base/error.h"

#include <cstring>

namespace regfs {
namespace {

class Category : public std::error_category {
 public:
  const char* name() const noexcept override { return "regfs"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::not_found: return "not found";
      case Errc::unauthorized: return "credentials needed";
      case Errc::forbidden: return "access denied";
      case Errc::rate_limited: return "rate limited";
      case Errc::unreachable: return "unreachable";
      case Errc::timed_out: return "timed out";
      case Errc::server_error: return "server error";
      case Errc::bad_response: return "bad response";
      case Errc::malformed: return "malformed document";
      case Errc::too_large: return "document too large";
      case Errc::digest_mismatch: return "digest mismatch";
      case Errc::wrong_length: return "wrong length";
      case Errc::missing_content: return "content missing";
      case Errc::unsupported: return "unsupported";
      case Errc::invalid_argument: return "invalid argument";
      case Errc::cancelled: return "cancelled";
      case Errc::shutting_down: return "shutting down";
    }
    return "unknown error";
  }
};

}  // namespace

const std::error_category& regfs_category() noexcept {
  static const Category category;
  return category;
}

std::error_code make_error_code(Errc code) noexcept {
  return {static_cast<int>(code), regfs_category()};
}

Error Error::from_errno(int errno_value, std::string context) {
  std::error_code code(errno_value, std::generic_category());
  return {code, std::move(context) + ": " + code.message()};
}

Error Error::while_doing(std::string_view what) const {
  return {code_, std::string(what) + ": " + context_};
}

}  // namespace regfs
