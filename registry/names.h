// SPDX-License-Identifier: MIT
// What names mean at a registry: its tags and repositories, a manifest, a small blob. Each call waits on the calling
// thread; client.h says what each answers. Owned by Client; safe to use from any thread that may wait.
#pragma once

#include <string>
#include <vector>

#include "base/log.h"
#include "registry/client.h"
#include "registry/exchange.h"

namespace regfs::registry {

// A tag list that is longer is refused rather than cut: a listing is never silently short.
inline constexpr size_t kMaxTagPages = 2'000;
inline constexpr size_t kMaxTags = 500'000;
inline constexpr size_t kMaxTagListBytes = 64u << 20;

// A catalog that is longer is cut: nobody takes it for whole.
inline constexpr size_t kMaxCatalogPages = 200;
inline constexpr size_t kMaxCatalogNames = 100'000;
inline constexpr size_t kMaxCatalogBytes = 16u << 20;

class Names {
 public:
  Names(Exchange& exchange, const Clock& clock, Log& log) : exchange_(exchange), clock_(clock), log_(log) {}

  Result<TagList> tags(const Repository& repository);
  Result<Catalog> catalog(const std::string& host, std::chrono::milliseconds at_most);  // catalog.cc
  Result<ManifestHead> head_manifest(const Reference& reference);
  Result<FetchedManifest> manifest(const Reference& reference);
  Result<std::string> small_blob(const Repository& repository, const Descriptor& descriptor);

  // The path and query of the page behind one that was answered; nullopt at the end of the list.
  static Result<std::optional<std::string>> next_page(const Question& question, const Reply& reply);

 private:
  Reply with_words(Question question, Reply refusal);

  Exchange& exchange_;
  const Clock& clock_;
  Log& log_;
};

}  // namespace regfs::registry
