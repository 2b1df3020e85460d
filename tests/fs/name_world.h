// SPDX-License-Identifier: MIT
// A registry of scripted answers with the real client, cache and resolver on top: what the tests of names
// stand on. The host is reg.example; what was not put there is 404.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/sha256.h"
#include "cache/ref_store.h"
#include "cache/store.h"
#include "fs/image_resolver.h"
#include "fs/name_rules.h"
#include "registry/client.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_transport.h"
#include "tests/support/memory_log.h"
#include "tests/support/sample_images.h"
#include "tests/support/temp_dir.h"

namespace regfs::test {

inline const std::string kHost = "reg.example";
inline constexpr std::chrono::seconds kTagTtl{60};

class NameWorld : public ::testing::Test {
 protected:
  NameWorld() { transport_.otherwise({.status = 404}); }
  ~NameWorld() override {
    client_.shutdown();
    store_->shutdown(Error(Errc::shutting_down, "test"));
    timer_.stop();
    pool_.stop();
  }

  static registry::ClientOptions one_attempt() {
    registry::ClientOptions options;
    options.attempts = 1;
    return options;
  }
  static std::string url(const std::string& repository, const std::string& rest) {
    return "https://" + kHost + "/v2/" + repository + "/" + rest;
  }
  static std::string manifest_url(const std::string& repository, const std::string& target) {
    return url(repository, "manifests/" + target);
  }
  static std::string tags_url(const std::string& repository) { return url(repository, "tags/list"); }

  void put_document(const std::string& repository, const std::string& target, const std::string& body,
                    const std::string& media_type) {
    Digest digest = sha256_of(body);
    ScriptedAnswer answer{
        .headers = {{"Content-Type", media_type}, {"Docker-Content-Digest", digest.str()}}, .body = body};
    transport_.replace(manifest_url(repository, digest.str()), answer);
    transport_.replace(manifest_url(repository, target), answer);
  }
  void put_image(const std::string& repository, const std::string& target, const SampleImage& image) {
    put_document(repository, target, image.manifest, image.media_type);
    transport_.replace(url(repository, "blobs/" + image.config_digest.str()), {.body = image.config});
  }
  void put_index(const std::string& repository, const std::string& tag, const std::vector<SampleImage>& images) {
    SampleIndex index = make_index(images);
    for (const SampleImage& image : images) put_image(repository, image.digest.str(), image);
    put_document(repository, tag, index.body, index.media_type);
  }
  void put_tags(const std::string& repository, const std::vector<std::string>& tags) {
    std::string names;
    for (const std::string& tag : tags) names += (names.empty() ? "\"" : ",\"") + tag + "\"";
    transport_.replace(tags_url(repository), {.body = R"({"name":")" + repository + R"(","tags":[)" + names + "]}"});
  }

  fs::Location at(const std::string& path) const {
    fs::Location location = fs::root_location(kHost);
    for (size_t begin = 0; begin < path.size();) {
      size_t end = std::min(path.find('/', begin), path.size());
      location = *fs::child_location(location, path.substr(begin, end - begin));
      begin = end + 1;
    }
    return location;
  }
  Result<fs::Child> lookup(const std::string& parent, const std::string& name, fs::Ask ask = fs::Ask::registry) {
    return rules_.lookup(at(parent), name, ask);
  }
  // The names of a directory; what failed as one name "error: …".
  std::vector<std::string> list(const std::string& path, fs::Ask ask = fs::Ask::registry) {
    Result<fs::Listing> listing = rules_.list(at(path), ask);
    if (!listing) return {"error: " + listing.error().context()};
    std::vector<std::string> names;
    for (const fs::ListedName& name : listing->names) names.push_back(name.name);
    return names;
  }
  static const fs::ImageFacts& facts(const Result<fs::Child>& child) {
    return *std::get<std::shared_ptr<const fs::ImageFacts>>(child->what);
  }
  size_t requests() const { return transport_.requests().size(); }

  FakeClock clock_;
  MemoryLog log_{clock_};
  TempDir directory_;
  FakeTransport transport_;
  Timer timer_;
  WorkPool pool_{"work", 2, 2, log_.log()};
  registry::Client client_{transport_, pool_, timer_, clock_, log_.log(), one_attempt()};
  std::unique_ptr<cache::BlobStore> store_ = *cache::BlobStore::open(directory_.path(), clock_, log_.log());
  std::unique_ptr<cache::RefStore> refs_ = *cache::RefStore::open(directory_.path(), clock_);
  fs::ImageResolver resolver_{client_, *store_, *refs_, clock_, log_.log(), kTagTtl};
  fs::NameRules rules_{resolver_, *refs_, log_.log()};
};

}  // namespace regfs::test
