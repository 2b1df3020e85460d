// SPDX-License-Identifier: MIT
// The newest refresh token of each login: a token service may give another with every answer and take the old one no
// more (OAuth2, RFC 6749, section 6). Kept for this process only; the files of `docker login` are never written.
//
// A token is shown only to the realm that gave it. Owned by TokenSource; safe to use from any thread.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "base/secret.h"

namespace regfs::registry {

class RefreshTokens {
 public:
  // What to show to the realm for the login that is filed so.
  Secret latest(const std::string& realm, const Secret& filed) const;
  // The realm gave `newest` for it.
  void renewed(const std::string& realm, const Secret& filed, const Secret& newest);
  // The realm refused `shown`: what to show instead, a newer one or in the end that which is filed; `shown` itself when
  // there is nothing else.
  Secret after_refusal(const std::string& realm, const Secret& filed, const Secret& shown);

 private:
  using Key = std::pair<std::string, std::string>;  // realm, and the token as filed

  mutable Mutex mutex_;
  std::map<Key, Secret> newest_ REGFS_GUARDED_BY(mutex_);
};

}  // namespace regfs::registry
