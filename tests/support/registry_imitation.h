// SPDX-License-Identifier: MIT
// A FakeRegistry that behaves like a row of the table of registries, and complains of what the real one refuses.
//
//   RegistryImitation registry(registry_profile("quay"));
//   registry.push("team/app", "v1", image);
//   EXPECT_TRUE(registry.complaints().empty());
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "tests/support/fake_registry.h"
#include "tests/support/registry_profiles.h"
#include "tests/support/rude_answers.h"

namespace regfs::test {

class RegistryImitation {
 public:
  explicit RegistryImitation(RegistryProfile profile);

  std::string host() const { return registry_.host(); }
  const RegistryProfile& profile() const { return profile_; }
  // Of the registry, and of the host where its blobs are.
  const Journal& journal() const { return registry_.journal(); }
  const Journal& store_journal() const { return store_.journal(); }

  void push(const std::string& repository, const std::string& tag, const SampleImage& image);
  void push(const std::string& repository, const std::string& tag, const SampleIndex& index);
  void list_tags(std::vector<std::string> tags);  // of every repository, sorted

  // From now on nobody is let in but the profile's login, or this one of its user.
  void require_login();
  void require_password(const std::string& password);
  // The first request for that path is the last that today's tokens are good for; then `then` is called, and `refused`
  // when the first that is not let in any more is about to hear it.
  void expire_tokens_after(const std::string& path, std::function<void()> then, std::function<void()> refused);

  // What befalls so many answers to requests that have the text in their path. False: it has dealt with the
  // connection, and nothing more is sent.
  enum class Who { registry, store };
  using Trouble = std::function<bool(const ScriptedExchange&, RawAnswer&)>;
  void set_trouble(Who who, const std::string& text_in_path, int times, Trouble trouble);

  size_t tokens_given() const;       // by its token service, for "team/app" or for all that it has
  size_t credentials_shown() const;  // of which it did not approve
  size_t turned_away() const;        // requests with a token that had aged
  // What was asked that the real one would have refused.
  std::vector<std::string> complaints() const;

 private:
  struct TroubleAhead {
    std::string text_in_path;
    int times = 0;
    Trouble trouble;
  };

  Fault as(Who who);
  void answer(const ScriptedExchange& exchange, RawAnswer& answer);
  void answer_from_store(const ScriptedExchange& exchange, RawAnswer& answer);
  bool give_token(const ScriptedExchange& exchange, RawAnswer& answer);
  std::string asked_repository(const std::string& asked) const;
  bool denies_token(const ScriptedExchange& exchange, const std::string& asked, RawAnswer& answer);
  bool lets_in(const ScriptedExchange& exchange, RawAnswer& answer);
  void challenge(const ScriptedExchange& exchange, RawAnswer& answer);
  void refuse(RawAnswer& answer, const ProfileRefusal& refusal, const std::string& repository) const;
  void blob(const ScriptedExchange& exchange, RawAnswer& answer);
  void list(const ScriptedExchange& exchange, RawAnswer& answer);
  void catalog(const ScriptedExchange& exchange, RawAnswer& answer);
  void complain(const std::string& of);
  bool has_repository(const std::string& repository) const;
  std::string filled(std::string text, const std::string& repository) const;

  const RegistryProfile profile_;
  mutable Mutex mutex_;
  std::set<std::string> repositories_ REGFS_GUARDED_BY(mutex_);
  std::vector<std::string> tags_ REGFS_GUARDED_BY(mutex_);
  std::set<std::string> warm_ REGFS_GUARDED_BY(mutex_);             // blobs that have been asked for
  std::vector<TroubleAhead> troubles_[2] REGFS_GUARDED_BY(mutex_);  // by Who
  bool knows_users_ REGFS_GUARDED_BY(mutex_) = false;
  std::string password_ REGFS_GUARDED_BY(mutex_);
  std::set<std::string> aged_passwords_ REGFS_GUARDED_BY(mutex_);
  size_t token_age_ REGFS_GUARDED_BY(mutex_) = 0;
  std::string last_path_ REGFS_GUARDED_BY(mutex_);  // of today's tokens
  std::function<void()> then_ REGFS_GUARDED_BY(mutex_);
  std::function<void()> refused_ REGFS_GUARDED_BY(mutex_);
  size_t tokens_given_ REGFS_GUARDED_BY(mutex_) = 0;
  size_t credentials_shown_ REGFS_GUARDED_BY(mutex_) = 0;
  size_t turned_away_ REGFS_GUARDED_BY(mutex_) = 0;
  std::vector<std::string> complaints_ REGFS_GUARDED_BY(mutex_);
  FakeRegistry store_;     // where blobs are, and tokens elsewhere
  FakeRegistry registry_;  // last: its threads use all of the above
};

}  // namespace regfs::test
