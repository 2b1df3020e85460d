// SPDX-License-Identifier: MIT
// Registries of the world as they speak: how each challenges, what its tokens look like, how its lists go on and where
// its blobs are. One table, and a FakeRegistry that behaves like a row of it and complains of what the real one
// refuses.
//
//   RegistryImitation registry(registry_profiles()[0]);
//   registry.push("team/app", "v1", image);
//   EXPECT_TRUE(registry.complaints().empty());
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "tests/support/fake_registry.h"
#include "tests/support/rude_answers.h"

namespace regfs::test {

// In texts {self}, {realm} (both HOST:PORT), {repository}, {token}, {last} and {page} stand for what they name.
struct RegistryProfile {
  std::string name;
  std::string challenge = {};       // in front of a repository; empty: it lets everybody in
  std::string root_challenge = {};  // of /v2/, where it is another
  std::string token_path = {};      // empty: Basic
  bool realm_elsewhere = false;     // tokens come from another host
  std::string service = {};         // that tokens must be asked for, as it is
  std::string scope = "repository:{repository}:pull";
  std::string token_answer = R"({"token":"{token}"})";
  std::string refusal = R"({"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]})";
  std::string list_type = "application/json";
  size_t page = 0;             // tags on a page; 0: all
  std::string link = {};       // to the next page
  std::string list_more = {};  // further members of the list
  std::string digest_on = "HEAD GET";
  int head_status = 200;  // of a manifest
  int redirect = 0;       // of a blob, to another host; 0: the registry sends it
  bool ranges = true;
  std::vector<std::pair<std::string, std::string>> headers = {};  // of every good answer
};

inline void PrintTo(const RegistryProfile& profile, std::ostream* out) {
  *out << profile.name;
}

const std::vector<RegistryProfile>& registry_profiles();

class RegistryImitation {
 public:
  static inline const FakeLogin kLogin{"AWS", "twelve-hours"};  // where a registry wants Basic

  explicit RegistryImitation(RegistryProfile profile);

  std::string host() const { return registry_.host(); }
  const RegistryProfile& profile() const { return profile_; }
  void push(const std::string& repository, const std::string& tag, const SampleImage& image);
  void list_tags(std::vector<std::string> tags);  // of every repository, sorted
  size_t token_requests() const;
  // What was asked that the real one would have refused.
  std::vector<std::string> complaints() const;

 private:
  void answer(const ScriptedExchange& exchange, RawAnswer& answer);
  void answer_from_store(const ScriptedExchange& exchange, RawAnswer& answer);
  bool give_token(const ScriptedExchange& exchange, RawAnswer& answer);
  bool lets_in(const ScriptedExchange& exchange, RawAnswer& answer);
  void list(const ScriptedExchange& exchange, RawAnswer& answer);
  void complain(const std::string& of);
  std::string filled(std::string text, const std::string& repository) const;

  const RegistryProfile profile_;
  mutable Mutex mutex_;
  std::vector<std::string> tags_ REGFS_GUARDED_BY(mutex_);
  std::vector<std::string> complaints_ REGFS_GUARDED_BY(mutex_);
  FakeRegistry store_;     // where blobs are, and tokens elsewhere
  FakeRegistry registry_;  // last: its threads use all of the above
};

}  // namespace regfs::test
