// SPDX-License-Identifier: MIT
#include "fs/location.h"

#include <gtest/gtest.h>

namespace regfs::fs::location_test {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

Location walk(std::optional<std::string> host, const std::vector<std::string>& names) {
  Location location = root_location(std::move(host));
  for (const std::string& name : names) {
    std::optional<Location> child = child_location(location, name);
    EXPECT_TRUE(child) << name;
    if (child) location = *std::move(child);
  }
  return location;
}

TEST(Location, RefusesNamesThatNoRegistryCouldHave) {
  Location root = root_location(std::nullopt);
  for (const char* name : {".git", "Nginx", "a b", "-x", "ghcr.io:99999", "user@host.io", ".Trash", "autorun.inf:x"}) {
    EXPECT_FALSE(child_location(root, name)) << name;
  }
  Location repository = walk(std::nullopt, {"nginx"});
  for (const char* name : {"a b", "..", "sha256:12", "sha512:00", "-v1", "v1/x"}) {
    EXPECT_FALSE(child_location(repository, name)) << name;
  }
}

// Asked of Docker Hub, such a name would tell a private one to a stranger, who might answer.
TEST(Location, TakesNoNameThatLooksLikeAHostAndIsNoneToDockerHub) {
  const std::string long_label = std::string(64, 'a') + ".com";
  for (const std::string& name :
       {std::string("my_registry.corp"), std::string("a.b__c"), std::string("reg.x-.io"), long_label}) {
    EXPECT_FALSE(child_location(root_location(std::nullopt), name)) << name;
  }
}

TEST(Location, TakesTheFirstNameForAHostByDockersRule) {
  EXPECT_EQ(walk(std::nullopt, {"ghcr.io"}).host, "ghcr.io");
  EXPECT_EQ(walk(std::nullopt, {"localhost:5000"}).host, "localhost:5000");
  EXPECT_EQ(walk(std::nullopt, {"nginx"}).host, "docker.io");
}

TEST(Location, ABareNameIsALibraryImageOfTheHub) {
  EXPECT_EQ(as_repository(walk(std::nullopt, {"nginx"}))->str(), "docker.io/library/nginx");
  EXPECT_EQ(as_repository(walk(std::nullopt, {"acme", "api"}))->str(), "docker.io/acme/api");
  EXPECT_EQ(as_repository(walk(std::nullopt, {"ghcr.io", "acme", "api"}))->str(), "ghcr.io/acme/api");
  EXPECT_EQ(as_repository(walk("ghcr.io", {"acme"}))->str(), "ghcr.io/acme");
  EXPECT_FALSE(as_repository(walk(std::nullopt, {"ghcr.io"})));
}

TEST(Location, TheLastNameMayBeATagOrADigestOfWhatStandsAbove) {
  EXPECT_EQ(as_reference(walk(std::nullopt, {"nginx", "1.27"}))->str(), "docker.io/library/nginx:1.27");
  EXPECT_EQ(as_reference(walk(std::nullopt, {"nginx", kDigest}))->str(), "docker.io/library/nginx@" + kDigest);
  EXPECT_FALSE(as_reference(walk(std::nullopt, {"nginx"})));
  EXPECT_EQ(reference_below(walk(std::nullopt, {"nginx"}), "V1")->target_str(), "V1");
}

TEST(Location, NothingIsARepositoryBelowATagThatNoRepositoryCouldBeCalled) {
  Location upper = walk(std::nullopt, {"nginx", "V1"});
  EXPECT_FALSE(as_repository(upper));
  EXPECT_FALSE(reference_below(upper, "x"));
}

TEST(Location, KeepsThePathAsItWasTyped) {
  EXPECT_EQ(walk(std::nullopt, {"index.docker.io", "library", "nginx"}).path, "index.docker.io/library/nginx");
  EXPECT_EQ(walk(std::nullopt, {"index.docker.io", "library", "nginx"}).host, "docker.io");
}

TEST(Location, AnArchiveIsNamedByItsEnding) {
  EXPECT_EQ(archive_stem("linux-arm-v7.tar"), "linux-arm-v7");
  EXPECT_FALSE(archive_stem(".tar"));
  EXPECT_FALSE(archive_stem("linux-amd64"));
  EXPECT_FALSE(archive_stem("linux-amd64.tar.gz"));
}

}  // namespace
}  // namespace regfs::fs::location_test
