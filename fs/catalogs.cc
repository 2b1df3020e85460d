// SPDX-License-Identifier: MIT
#include "fs/catalogs.h"

#include <algorithm>

namespace regfs::fs {
namespace {

constexpr size_t kRememberedCatalogs = 20;  // of 100,000 names at most
constexpr size_t kHostsAskedForCatalogs = 1'000;

std::shared_ptr<const std::vector<std::string>> in_order(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return std::make_shared<const std::vector<std::string>>(std::move(names));
}

// It is not that the question failed: there is no catalog, or not for us.
bool says_no(const Error& error) {
  return error.is(Errc::not_found) || error.is(Errc::unauthorized) || error.is(Errc::forbidden) ||
         error.is(Errc::unsupported) || error.is(Errc::malformed);
}

}  // namespace

std::span<const std::string> CatalogNames::below(const std::string& prefix) const {
  auto begin = std::lower_bound(names->begin(), names->end(), prefix);
  auto end = std::find_if(begin, names->end(), [&](const std::string& name) { return !name.starts_with(prefix); });
  return {begin, end};
}

bool CatalogNames::contains(const std::string& repository) const {
  auto below = std::lower_bound(names->begin(), names->end(), repository + "/");
  return std::binary_search(names->begin(), names->end(), repository) ||
         (below != names->end() && below->starts_with(repository + "/"));
}

Catalogs::Catalogs(registry::Client& client, cache::RefStore& refs, const Clock& clock, Log& log,
                   std::chrono::milliseconds tag_ttl)
    : client_(client),
      refs_(refs),
      log_(log),
      // For a moment at least: who lists a directory looks its names up next.
      life_(std::max<std::chrono::milliseconds>(tag_ttl, kStaleLife)),
      fresh_(clock, kRememberedCatalogs),
      older_(clock, kRememberedCatalogs),
      on_disk_(clock, kRememberedCatalogs),
      none_(clock, kHostsAskedForCatalogs),
      too_slow_(clock, kHostsAskedForCatalogs) {}

std::optional<CatalogNames> Catalogs::fresh(const std::string& host) const {
  auto known = fresh_.get(host);
  if (!known) return std::nullopt;
  return CatalogNames{known->value, known->left};
}

std::optional<CatalogNames> Catalogs::ask(const std::string& host, std::chrono::milliseconds patience) {
  if (auto known = fresh(host)) return known;
  const bool brief = patience < kCatalogPatience;
  if (auto older = older_.get(host); older && brief) return CatalogNames{older->value, kStaleLife};
  if (!none_.get(host) && !(brief && too_slow_.get(host))) {
    ask_now(host, patience);
    if (auto known = fresh(host)) return known;
  }
  if (auto none = none_.get(host); none && none->value) return std::nullopt;
  return last_known(host);
}

CatalogNames Catalogs::last_known(const std::string& host) {
  if (auto older = older_.get(host)) return {older->value, kStaleLife};
  if (auto found = on_disk_.get(host)) return {found->value, kStaleLife};
  std::optional<cache::CatalogRecord> record = refs_.catalog(host);
  // The disk's word is anybody's: only names that a registry could have.
  std::vector<std::string> names = record ? std::move(record->repositories) : std::vector<std::string>();
  std::erase_if(names, [&host](const std::string& name) { return !registry::make_repository(host, name); });
  Names known = in_order(std::move(names));
  on_disk_.put(host, known, kStaleLife);
  return {std::move(known), kStaleLife};
}

void Catalogs::ask_now(const std::string& host, std::chrono::milliseconds patience) {
  const bool brief = patience < kCatalogPatience;
  Result<registry::Catalog> catalog = client_.catalog(host, patience);
  if (catalog) {
    Names names = in_order(std::move(catalog->repositories));
    older_.put(host, names, kOlderCatalogMemory);
    if (brief && !catalog->complete) return;  // whoever has more patience may hear more
    fresh_.put(host, names, life_);
    Result<void> put = refs_.put_catalog(host, *names);
    if (!put) log_.failure(put.error().while_doing("remembering the catalog of " + host).context());
    return;
  }
  const bool lasting = says_no(catalog.error());
  if (lasting || !brief) {
    none_.put(host, lasting, lasting ? std::chrono::milliseconds(kNoCatalogMemory) : kStaleLife);
  }
  too_slow_.put(host, true, kNoCatalogMemory);
  if (log_.debugs()) log_.debug("no catalog: " + catalog.error().context());
}

}  // namespace regfs::fs
