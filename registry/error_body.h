// SPDX-License-Identifier: MIT
// What a registry said when it refused, as one short line for people. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"

namespace regfs::registry {

inline constexpr size_t kMaxErrorSentenceBytes = 200;

// `MANIFEST_UNKNOWN "manifest unknown"` from {"errors":[{"code", "message"}]}; the code and message of
// an XML error document; the first line of plain text. Empty when the body says nothing useful (HTML,
// an empty document). Never a control character, a URL's query, a word that looks like a token, or one of the secrets
// that its asker has shown. The caller bounds the body (64 KiB).
std::string describe_error_body(std::string_view body, const std::vector<Secret>& secrets = {});

}  // namespace regfs::registry
