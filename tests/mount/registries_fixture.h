// SPDX-License-Identifier: MIT
// An imitated registry with two images, and a mount that has or lacks its login.
#pragma once

#include <filesystem>
#include <fstream>

#include "tests/mount/mount_fixture.h"
#include "tests/support/registry_imitation.h"

namespace regfs::test {

class RegistriesTest : public testing::Test {
 protected:
  explicit RegistriesTest(const RegistryProfile& profile) : registry_(profile) {}

  void SetUp() override {
    if (const std::string reason = why_no_mounts(); !reason.empty()) GTEST_SKIP() << reason;
    registry_.push("team/app", "v1", large_);
    registry_.push("team/app", "v2", small_);
    registry_.list_tags(tags_);
    if (registry_.profile().challenge.starts_with("Basic")) return write_login(registry_.profile().login);
    write_config("other.example", basic_header({"ann", "of-another-registry"}).substr(6));
  }

  // As `docker login` leaves it, whose refresh tokens stand beside a user without a password.
  void write_login(const FakeLogin& login) const {
    const bool refreshes = registry_.profile().wants_refresh_token;
    write_config(registry_.host(), basic_header({login.username, refreshes ? "" : login.password}).substr(6),
                 refreshes ? R"(, "identitytoken": ")" + login.password + "\"" : "");
  }
  void write_config(const std::string& key, const std::string& auth, const std::string& more = "") const {
    std::ofstream(scratch_ / "config.new")
        << R"({"auths": {")" << key << R"(": {"auth": ")" << auth << "\"" << more << "}}}";
    std::filesystem::rename(scratch_ / "config.new", scratch_ / "config.json");
  }
  // Unless a login was written it has one of another registry, or of this one where nobody is let in without.
  MountSpec spec() const { return {.environment = {"DOCKER_CONFIG=" + scratch_.path()}}; }

  MountPath repository(const MountedRegfs& mount) const { return mount / registry_.host() / "team" / "app"; }
  testing::AssertionResult reads(const MountedRegfs& mount, const std::string& tag, const SampleImage& image) const {
    const ReadOutcome got = read_file(repository(mount) / tag / "linux-amd64.tar");
    if (got.error != 0) return testing::AssertionFailure() << strerrorname_np(got.error) << "\n" << mount.log();
    return same_bytes(got.bytes, ArchiveModel(image, registry_.host(), "team/app", tag).bytes());
  }
  // As a sentence of the log quotes a refusal.
  static std::string words_of(const ProfileRefusal& refusal) {
    const size_t code = refusal.body.find("\"code\":\"");
    if (code == std::string::npos) return "";
    const size_t begin = code + 8;
    return " " + refusal.body.substr(begin, refusal.body.find('"', begin) - begin);
  }

  const SampleImage small_ = make_image({.layers = {seeded_layer(3, 300'000)}});
  const SampleIndex large_ =
      make_index({make_image({.layers = {seeded_layer(1, 20 << 20), seeded_layer(2, 70'000)}}),
                  make_image({.layers = {seeded_layer(2, 70'000)}, .platform = {.architecture = "arm64"}})});
  const std::vector<std::string> tags_{"v1", "v2", "v3", "v4", "v5", "v6", "v7"};
  const TempDir scratch_;
  RegistryImitation registry_;  // last: it may write a login while it serves
};

}  // namespace regfs::test
