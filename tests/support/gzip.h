// SPDX-License-Identifier: MIT
// gzip without a compressor: RFC 1952 around the stored blocks of RFC 1951. Pure.
#pragma once

#include <string>
#include <string_view>

namespace regfs::test {

std::string gzip_stored(std::string_view bytes);

}  // namespace regfs::test
