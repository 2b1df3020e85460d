// SPDX-License-Identifier: MIT
// The Link header (RFC 8288), by which a registry names the next page of a list. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace regfs::registry {

// The URI reference of the first link whose rel includes "next", relative or absolute, as it stands but for blanks in
// it, which become %20: whether it may be followed is the caller's to judge. nullopt when there is none, which ends a
// list. Errc::bad_response where there is one that leads nowhere, such as without its angle brackets or with control
// characters in it: what is behind it is missing.
Result<std::optional<std::string>> next_link(const std::vector<std::string>& link_header_values);

}  // namespace regfs::registry
