// SPDX-License-Identifier: MIT
#include "registry/refresh_tokens.h"

namespace regfs::registry {
namespace {

// Logins are few; whoever files others without end is forgotten, and begins with the filed one again.
constexpr size_t kManyLogins = 1'000;

}  // namespace

Secret RefreshTokens::latest(const std::string& realm, const Secret& filed) const {
  MutexLock lock(mutex_);
  auto newest = newest_.find({realm, filed.reveal()});
  return newest == newest_.end() ? filed : newest->second;
}

void RefreshTokens::renewed(const std::string& realm, const Secret& filed, const Secret& newest) {
  MutexLock lock(mutex_);
  if (newest_.size() >= kManyLogins) newest_.clear();
  newest_.insert_or_assign({realm, filed.reveal()}, newest);
}

Secret RefreshTokens::after_refusal(const std::string& realm, const Secret& filed, const Secret& shown) {
  MutexLock lock(mutex_);
  auto newest = newest_.find({realm, filed.reveal()});
  if (newest == newest_.end()) return filed;
  if (newest->second != shown) return newest->second;
  newest_.erase(newest);
  return filed;
}

}  // namespace regfs::registry
