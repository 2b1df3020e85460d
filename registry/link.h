// SPDX-License-Identifier: MIT
// The Link header (RFC 8288), by which a registry names the next page of a list. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace regfs::registry {

// The URI reference of the first link whose rel includes "next", relative or absolute, as it stands:
// whether it may be followed is the caller's to judge. nullopt when there is none, which ends a list; a
// reference with control characters or white space in it is none.
std::optional<std::string> next_link(const std::vector<std::string>& link_header_values);

}  // namespace regfs::registry
