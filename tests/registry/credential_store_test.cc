// SPDX-License-Identifier: MIT
#include "registry/credential_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "tests/support/fake_clock.h"
#include "tests/support/memory_log.h"
#include "tests/support/posix_file.h"
#include "tests/support/temp_dir.h"

namespace regfs::registry::credential_store_test {
namespace {

using namespace std::chrono_literals;

const Repository kRepository{"reg.example", "acme/api"};

std::string auths(const std::string& base64) {
  return R"({"auths": {"reg.example": {"auth": ")" + base64 + R"("}}})";
}
const std::string kAnn = "YW5uOng=";  // ann:x
const std::string kBob = "Ym9iOng=";  // bob:x

class CredentialStoreTest : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) { std::ofstream(home_ / name) << text; }
  void write_helper(const std::string& script) {
    const std::string path = home_ / "docker-credential-test";
    std::ofstream(path) << "#!/bin/sh\necho run >> " << (home_ / "runs") << "\n" << script;
    ::chmod(path.c_str(), 0755);
    write("config.json", R"({"credsStore": "test"})");
  }
  size_t runs() const {
    const std::string text = test::text_file(home_ / "runs");
    return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  }
  StoredCredentials& store() {
    if (!store_) {
      std::vector<CredentialPlace> places;
      for (const char* name : {"config.json", "auth.json"}) places.push_back({home_ / name, name});
      store_ = std::make_unique<StoredCredentials>(
          places, std::make_unique<HelperRunner>(home_.path() + ":/usr/bin:/bin"), clock_, log_.log());
    }
    return *store_;
  }
  std::string user() {
    Result<std::optional<Credential>> found = store().find(kRepository);
    if (!found) return found.error().context();
    return *found ? (*found)->username : "(nobody)";
  }

  const test::TempDir home_;
  test::FakeClock clock_;
  test::MemoryLog log_{clock_};
  std::unique_ptr<StoredCredentials> store_;
};

TEST_F(CredentialStoreTest, AsksAsNobodyWithoutAnyFile) {
  EXPECT_EQ(user(), "(nobody)");
}

TEST_F(CredentialStoreTest, WarnsOnceOfABrokenFileAndGoesOnWithTheNext) {
  write("config.json", "{\"auths\": {");
  write("auth.json", auths(kAnn));
  EXPECT_EQ(user(), "ann");
  EXPECT_EQ(user(), "ann");
  EXPECT_EQ(log_.count("config.json"), 1u);
}

TEST_F(CredentialStoreTest, DoesNotWaitForTheWriterOfAFifo) {
  ASSERT_EQ(::mkfifo((home_ / "config.json").c_str(), 0600), 0);
  write("auth.json", auths(kAnn));
  EXPECT_EQ(user(), "ann");
  EXPECT_TRUE(log_.contains("not a regular file"));
}

TEST_F(CredentialStoreTest, ReadsAFileAgainWhenItIsReplaced) {
  write("config.json", auths(kAnn));
  EXPECT_EQ(user(), "ann");
  write("new.json", auths(kBob));
  ASSERT_EQ(::rename((home_ / "new.json").c_str(), (home_ / "config.json").c_str()), 0);
  EXPECT_EQ(user(), "bob");
}

TEST_F(CredentialStoreTest, ReadsAFileThatAppears) {
  EXPECT_EQ(user(), "(nobody)");
  write("auth.json", auths(kAnn));
  EXPECT_EQ(user(), "ann");
}

TEST_F(CredentialStoreTest, TakesTheFirstFileThatKnowsTheRegistry) {
  write("config.json", R"({"auths": {"other.example": {"auth": "YW5uOng="}}})");
  write("auth.json", auths(kBob));
  EXPECT_EQ(user(), "bob");
}

TEST_F(CredentialStoreTest, GoesOnWithTheNextFileWhenTheHelperIsMissing) {
  write("config.json", R"({"credsStore": "nosuch"})");
  write("auth.json", auths(kAnn));
  EXPECT_EQ(user(), "ann");
  EXPECT_TRUE(log_.contains("docker-credential-nosuch"));
}

TEST_F(CredentialStoreTest, AsksAsNobodyWhenTheHelperFailsAndSaysSo) {
  write_helper("echo locked; exit 1");
  const std::string nobody = user();
  EXPECT_TRUE(log_.contains("'locked'"));
  EXPECT_EQ(runs(), 1u);
  clock_.advance(kHelperPause);
  user();
  EXPECT_EQ(runs(), 2u);
}

TEST_F(CredentialStoreTest, AsksAHelperOnceForManyAndAgainWhenRefused) {
  write_helper("echo '{\"Username\": \"ann\", \"Secret\": \"x\"}'");
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  store();
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      Result<std::optional<Credential>> found = store_->find(kRepository);
      if (found && *found && (*found)->username == "ann") ++good;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 8);
  EXPECT_EQ(runs(), 1u);
  store().refused(kRepository);
  user();
  EXPECT_EQ(runs(), 1u) << "not twice in " << kHelperPause.count() << " s";
  clock_.advance(kHelperPause);
  store().refused({"other.example", "x"});
  user();
  EXPECT_EQ(runs(), 1u) << "another registry's refusal";
  store().refused(kRepository);
  user();
  EXPECT_EQ(runs(), 2u);
}

TEST_F(CredentialStoreTest, TellsTheSourceAndTheUserAtDebugAndNoSecret) {
  write("config.json", R"({"auths": {"reg.example": {"auth": "YW5uOmh1bnRlcjI="}}})");
  user();
  EXPECT_TRUE(log_.contains("user ann from "));
  EXPECT_TRUE(log_.contains("config.json, entry 'reg.example'"));
  EXPECT_FALSE(log_.contains("hunter2"));
  EXPECT_FALSE(log_.contains("YW5u"));
}

TEST(CredentialPlaces, AreOnlyTheFileThatTheUserNames) {
  CredentialEnvironment environment;
  environment.home = "/home/ann";
  environment.registry_auth_file = "/r.json";
  ASSERT_EQ(credential_places(environment).size(), 1u);
  EXPECT_EQ(credential_places(environment)[0].path, "/r.json");
  environment.authfile = "/a.json";
  ASSERT_EQ(credential_places(environment).size(), 1u);
  EXPECT_EQ(credential_places(environment)[0].path, "/a.json");
}

TEST(CredentialPlaces, AreDockersAndThenThoseOfContainers) {
  CredentialEnvironment environment;
  environment.home = "/home/ann";
  environment.user = 1000;
  environment.docker_auth_config = Secret("{}");
  std::vector<std::string> names;
  for (const CredentialPlace& place : credential_places(environment)) names.push_back(place.name);
  EXPECT_EQ(names, (std::vector<std::string>{"$DOCKER_AUTH_CONFIG", "/home/ann/.docker/config.json",
                                             "/run/containers/1000/auth.json", "/home/ann/.config/containers/auth.json",
                                             "/home/ann/.dockercfg"}));
  environment.docker_config = "/d";
  environment.xdg_runtime_dir = "/run/user/1000";
  environment.xdg_config_home = "/c";
  names.clear();
  for (const CredentialPlace& place : credential_places(environment)) names.push_back(place.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"$DOCKER_AUTH_CONFIG", "/d/config.json", "/run/user/1000/containers/auth.json",
                                      "/c/containers/auth.json", "/home/ann/.dockercfg"}));
}

}  // namespace
}  // namespace regfs::registry::credential_store_test
