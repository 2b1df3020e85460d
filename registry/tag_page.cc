// SPDX-License-Identifier: MIT
#include "registry/tag_page.h"

#include "registry/json_parse.h"
#include "registry/reference.h"

namespace regfs::registry {
namespace {

// Google answers with one page for all: some eight values for each image beside the tags.
constexpr size_t kMaxPageValues = 1'000'000;
constexpr size_t kMaxNameBytes = 255;  // of what a directory holds (NAME_MAX)

Error malformed_page(const std::string& sentence) {
  return {Errc::malformed, "the tag list is " + sentence};
}

// Google's: whatever else it is says nothing of the tags.
void add_children(const Json& document, TagPage& page) {
  const Json* children = document.find("child");
  if (children == nullptr || children->array() == nullptr) return;
  page.listed += children->array()->size();
  for (const Json& entry : *children->array()) {
    const std::string* child = entry.string();
    if (child != nullptr && child->size() <= kMaxNameBytes && is_repository_component(*child)) {
      page.children.push_back(*child);
    } else {
      ++page.skipped;
    }
  }
}

}  // namespace

Result<TagPage> parse_tag_page(std::string_view body) {
  Result<Json> document = parse_json(body, kMaxPageValues);
  if (!document) return document.error().while_doing("the tag list");
  if (document->object() == nullptr) return malformed_page(std::string(document->kind()) + ", not an object");

  TagPage page;
  add_children(*document, page);
  const Json* tags = document->find("tags");
  if (tags == nullptr) {
    const Json* name = document->find("name");
    bool empty_list = document->names("tags") || (name != nullptr && name->string() != nullptr);
    if (!empty_list) return malformed_page("an object that has no 'tags'");
    return page;
  }
  const Json::Array* entries = tags->array();
  if (entries == nullptr) return malformed_page(std::string(tags->kind()) + ", not an array");
  page.listed += entries->size();
  for (const Json& entry : *entries) {
    const std::string* tag = entry.string();
    if (tag != nullptr && is_tag(*tag)) {
      page.tags.push_back(*tag);
    } else {
      ++page.skipped;
    }
  }
  return page;
}

Result<CatalogPage> parse_catalog_page(std::string_view body, std::string_view host) {
  Result<Json> document = parse_json(body);
  if (!document) return document.error().while_doing("the catalog");
  const Json* repositories = document->find("repositories");
  const bool empty = repositories == nullptr && document->names("repositories");
  if (!empty && (repositories == nullptr || repositories->array() == nullptr)) {
    return Error{Errc::malformed, "the catalog has no list of 'repositories'"};
  }
  CatalogPage page;
  if (empty) return page;
  for (const Json& entry : *repositories->array()) {
    const std::string* name = entry.string();
    if (name != nullptr && make_repository(host, *name)) {
      page.repositories.push_back(*name);
    } else {
      ++page.skipped;
    }
  }
  return page;
}

}  // namespace regfs::registry
