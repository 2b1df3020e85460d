// SPDX-License-Identifier: MIT
// One page of a registry's lists: {"name": "acme/api", "tags": ["v1", "v2"]}, with Google's "child", and
// {"repositories": ["acme/api"]}. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace regfs::registry {

struct TagPage {
  std::vector<std::string> tags;      // in the registry's order, as listed; each a valid tag
  std::vector<std::string> children;  // of "child"; each a component that a repository may have
  size_t skipped = 0;                 // entries that are neither: empty, "..", with '/', too long, no string
  size_t listed = 0;                  // entries on the page, valid or not
};

// `tags` null, or left out beside a `name`, is an empty page. Anything that is no tag list (HTML, a body
// that was cut, other types) is Errc::malformed, so that a list never ends early without an error. The
// caller bounds the body.
Result<TagPage> parse_tag_page(std::string_view body);

struct CatalogPage {
  std::vector<std::string> repositories;  // in the registry's order; each a valid name
  size_t skipped = 0;                     // entries that are none: "../../etc", "/abs", "a//b", no string
};

// Of the registry `host`. Errc::malformed for whatever is no catalog.
Result<CatalogPage> parse_catalog_page(std::string_view body, std::string_view host);

}  // namespace regfs::registry
