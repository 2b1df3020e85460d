// SPDX-License-Identifier: MIT
// Where a redirect may lead. The transport follows none; who asks decides hop by hop. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "registry/http.h"

namespace regfs::registry {

inline constexpr int kMaxRedirects = 10;

bool is_redirect(int status);  // 301, 302, 303, 307, 308

// What storage says of a URL whose signature has expired: whoever signed it signs another.
bool turns_away(int status);  // 400, 401, 403

// What shows that the answer behind a redirect is the right one: of a blob its digest; of names, TLS alone.
enum class Protects { digest, tls };

// The absolute URL that a redirecting answer to `from_url` names. Errc::bad_response when it names none, is no
// http or https URL, or leads from https to http (for a blob it may, from one loopback host to another).
Result<std::string> redirect_target(std::string_view from_url, const HttpHead& head, Protects protects);

}  // namespace regfs::registry
