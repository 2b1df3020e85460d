// SPDX-License-Identifier: MIT
// Base64 (RFC 4648, section 4), as Basic authentication and credential files use it. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace regfs::registry {

std::string to_base64(std::string_view bytes);

// White space at both ends and missing padding are tolerated, as people paste it; anything else that is no
// base64 is nullopt.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace regfs::registry
