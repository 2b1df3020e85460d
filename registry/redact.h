// SPDX-License-Identifier: MIT
// Other people's sentences, made fit for a log: one line, without what could be a credential.
// Internal to this folder. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"

namespace regfs::registry {

// One line: control characters (those of terminals and of writing direction too) and runs of white
// space become one space. The query and the user of a URL are left out. A word that looks like a token, or
// follows "Bearer" or "password=", becomes "***"; digests stay. Rather a word too many than too few.
// `text` that is no UTF-8 gets a '?' for each bad byte.
std::string redact(std::string_view text);

// The text without these, as they are: whoever knows a secret hides it whatever it looks like. Those of a few bytes
// stay, which are in any text.
std::string without_secrets(std::string text, const std::vector<Secret>& secrets);

bool is_utf8(std::string_view text);

}  // namespace regfs::registry
