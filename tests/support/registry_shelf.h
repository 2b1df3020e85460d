// SPDX-License-Identifier: MIT
// What a fake registry holds, and what the distribution protocol answers from it: pure of sockets,
// faults and threads. Its owner serialises the calls.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "tests/support/content.h"
#include "tests/support/http_server.h"

namespace regfs::test {

struct RegistryAnswer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};  // without Content-Length
  ContentPtr body = nullptr;  // the whole entity; a HEAD announces its size and leaves it out
};

// {"errors": [{"code": …, "message": …}]}
RegistryAnswer error_answer(int status, const std::string& code, const std::string& message);

class RegistryShelf {
 public:
  // The document under its digest, and under the tag unless that is empty.
  void put_manifest(const std::string& repository, const std::string& tag, const std::string& media_type,
                    const std::string& body);
  // The document where another digest is asked for: a registry that lies.
  void put_manifest_as(const std::string& repository, const Digest& digest, const std::string& media_type,
                       const std::string& body);
  void drop_tag(const std::string& repository, const std::string& tag);
  void put_blob(const Digest& digest, ContentPtr content);
  // Listed besides the tags that have a manifest, whatever they hold.
  void list_names(const std::string& repository, const std::vector<std::string>& names);

  void set_page_size(size_t tags) { page_size_ = tags; }
  // "http://127.0.0.1:PORT" in front of the next page's path; empty: a relative Link.
  void set_link_base(std::string base) { link_base_ = std::move(base); }

  RegistryAnswer answer(const HttpServerRequest& request) const;

 private:
  struct Document {
    std::string media_type;
    Digest digest;
    ContentPtr body;
  };
  struct Stored {
    std::map<std::string, Document> documents;  // by tag, and by "sha256:…"
    std::vector<std::string> names;
  };
  RegistryAnswer manifest(const std::string& repository, const std::string& target) const;
  RegistryAnswer blob(const std::string& repository, const std::string& digest) const;
  RegistryAnswer tags(const std::string& repository, const std::string& query) const;

  std::map<std::string, Stored> repositories_;
  std::map<std::string, ContentPtr> blobs_;  // by "sha256:…", shared by all repositories
  size_t page_size_ = 1000;
  std::string link_base_;
};

}  // namespace regfs::test
