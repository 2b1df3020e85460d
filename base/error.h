// SPDX-License-Identifier: MIT
// What went wrong: a code for programs and a sentence for people.
//
// The code is either a system errno that must survive untouched (ENOSPC, EMFILE …) or one word of
// the closed list Errc. The sentence grows on its way up: each layer that knows something adds it in
// front with while_doing(). An Error is logged once, where it leaves the program.
#pragma once

#include <string>
#include <string_view>
#include <system_error>

namespace regfs {

// The closed list. fs/errno_map.cc turns each into an errno; a new word does not compile there until
// someone has chosen one.
enum class Errc {
  not_found = 1,     // a definite answer: the registry says it does not exist
  unauthorized,      // 401
  forbidden,         // 403, 451
  rate_limited,      // 429 after retries
  unreachable,       // host unreachable, name does not resolve, connection refused
  timed_out,         // a named time-out ran out
  server_error,      // 5xx after retries
  bad_response,      // not HTTP, TLS failure, reset, redirect loop, refused redirect
  malformed,         // a document that is not what it must be, or is hostile
  too_large,         // a document over its bound
  digest_mismatch,   // bytes that are not what their digest says
  wrong_length,      // a body shorter or longer than its descriptor
  missing_content,   // the registry lacks a blob that a good manifest names
  unsupported,       // schema 1, an unknown digest algorithm, a list that the registry does not offer
  invalid_argument,  // the user's words cannot be understood
  cancelled,         // nobody waits any more
  shutting_down,     // the mount is going away
};

const std::error_category& regfs_category() noexcept;
std::error_code make_error_code(Errc code) noexcept;

class [[nodiscard]] Error {
 public:
  Error(Errc code, std::string context) : code_(make_error_code(code)), context_(std::move(context)) {}
  Error(std::error_code code, std::string context) : code_(code), context_(std::move(context)) {}

  // The errno of the call that just failed, with what it was doing.
  static Error from_errno(int errno_value, std::string context);

  const std::error_code& code() const { return code_; }
  bool is(Errc code) const { return code_ == make_error_code(code); }

  // The sentence. Holds no secret and no URL query: whoever builds it sees to that.
  const std::string& context() const { return context_; }

  // The same error, told from one layer further up: "WHAT: CONTEXT".
  Error while_doing(std::string_view what) const;

 private:
  std::error_code code_;
  std::string context_;
};

}  // namespace regfs

template <>
struct std::is_error_code_enum<regfs::Errc> : std::true_type {};
