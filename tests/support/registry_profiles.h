// SPDX-License-Identifier: MIT
// Registries of the world as they speak, as a table: how each challenges, what its tokens look like, which credential
// it wants, how its lists go on, where its blobs are, and what it says when it refuses. Plain data;
// registry_imitation.h behaves like a row of it.
#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/fake_registry.h"

namespace regfs::test {

// What a registry says where it does not give what is asked for.
struct ProfileRefusal {
  int status = 0;  // 0: it has no such answer
  std::string body = {};
  std::string type = "application/json";
  std::string challenge = {};  // WWW-Authenticate
  bool by_realm = false;       // its token service says so, and gives no token
};

// In texts {self}, {realm} (both HOST:PORT), {repository}, {token}, {last} and {page} stand for what they name.
struct RegistryProfile {
  std::string name;
  std::string challenge = {};       // in front of a repository; empty: it lets everybody in
  std::string get_challenge = {};   // where a GET is challenged otherwise than a HEAD
  std::string root_challenge = {};  // of /v2/, where it is another
  std::string token_path = {};      // empty: Basic
  bool realm_elsewhere = false;     // tokens come from another host
  std::string service = {};         // that tokens must be asked for, as it is
  std::string scope = "repository:{repository}:pull";
  std::string token_answer = R"({"token":"{token}"})";
  std::string refusal = R"({"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]})";

  FakeLogin login = {};               // the kind of credential that it gives out; nobody: it knows no users
  bool basic_too = false;             // it takes the login itself where others want a token
  bool wants_refresh_token = false;   // the password is an OAuth2 refresh token, and traded by POST
  ProfileRefusal denied = {};         // of another password, where a password is shown
  ProfileRefusal missing = {};        // of a repository that does not exist, or is not for everybody to see
  ProfileRefusal expired = {};        // of a token or a password that has aged; none: it challenges again
  ProfileRefusal one_component = {};  // of a repository without a '/', where that is none

  std::string list_type = "application/json";
  size_t page = 0;                         // tags on a page; 0: all
  std::string link = {};                   // to the next page
  std::string list_more = {};              // further members of the list
  std::string list_junk = {};              // further entries among the tags, which are none
  std::vector<std::string> children = {};  // that list_more names
  std::string digest_on = "HEAD GET";
  int head_status = 200;  // of a manifest
  int redirect = 0;       // of a blob, to another host; 0: the registry sends it
  bool ranges = true;
  bool ranges_when_cold = true;                                   // of a blob that has not been asked for
  bool chunked = false;                                           // nothing has a length
  std::vector<std::pair<std::string, std::string>> headers = {};  // of every good answer

  std::vector<std::string> catalog = {};  // in two pages where there is a link, as sorted
  std::string catalog_link = {};
  ProfileRefusal no_catalog = {404, "404 page not found\n", "text/plain; charset=utf-8"};  // where there is none
  int catalog_token = 200;  // what the token service says to the scope of the catalog
};

inline void PrintTo(const RegistryProfile& profile, std::ostream* out) {
  *out << profile.name;
}

const std::vector<RegistryProfile>& registry_profiles();
const RegistryProfile& registry_profile(const std::string& name);

}  // namespace regfs::test
