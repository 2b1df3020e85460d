// SPDX-License-Identifier: MIT
#include "fs/questions.h"

namespace regfs::fs {

bool is_outage(const Error& error) {
  return is_lasting_outage(error) || error.is(Errc::server_error) || error.is(Errc::bad_response) ||
         error.is(Errc::rate_limited);
}

bool is_lasting_outage(const Error& error) {
  return error.is(Errc::unreachable) || error.is(Errc::timed_out);
}

void log_failed_question(Log& log, const Error& error) {
  if (error.is(Errc::not_found) || error.is(Errc::cancelled) || error.is(Errc::shutting_down)) return;
  log.failure(error.context());
}

}  // namespace regfs::fs
