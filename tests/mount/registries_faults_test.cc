// SPDX-License-Identifier: MIT
// What is peculiar to one registry, or befalls its users: as a table of registry, trouble, and what must be seen.
#include <algorithm>

#include "tests/mount/registries_fixture.h"

namespace regfs::test::registries_faults_test {
namespace {

using Names = std::vector<std::string>;
using Trouble = RegistryImitation::Trouble;
using Who = RegistryImitation::Who;

constexpr int kAlways = -1;

struct RegistryTrouble {
  std::string registry;
  std::string name;
  Who who = Who::registry;
  std::string text_in_path;
  int times = kAlways;
  Trouble trouble;
  int error = 0;                 // to whoever reads the image; 0: it is whole
  std::string told = {};         // in the log, with {self} for the host
  size_t requests_at_least = 0;  // that have the text in their path
};

void PrintTo(const RegistryTrouble& trouble, std::ostream* out) {
  *out << trouble.registry << ": " << trouble.name;
}

Trouble says(int status, const std::string& type, const std::string& body,
             const std::vector<std::pair<std::string, std::string>>& fields = {}) {
  return [=](const ScriptedExchange&, RawAnswer& answer) {
    answer = RawAnswer{.line = "HTTP/1.1 " + std::to_string(status) + " Refused"};
    answer.set("Content-Type", type).set_body(body);
    for (const auto& [name, value] : fields) answer.add(name, value);
    return true;
  };
}

Trouble adds(const std::vector<std::pair<std::string, std::string>>& fields) {
  return [=](const ScriptedExchange&, RawAnswer& answer) {
    for (const auto& [name, value] : fields) answer.set(name, value);
    return true;
  };
}

// Half of what is promised, and the end of the connection.
Trouble falls_short() {
  return [](const ScriptedExchange& exchange, RawAnswer& answer) {
    exchange.client.send(answer.head() + answer.body.substr(0, answer.body.size() / 2));
    return false;
  };
}

Trouble resets() {
  return [](const ScriptedExchange& exchange, RawAnswer&) {
    exchange.client.end_with_reset();
    return false;
  };
}

// As docker-registry 2.8 does: the length is that of the blob, the body a sentence.
Trouble out_of_range() {
  return [](const ScriptedExchange& exchange, RawAnswer& answer) {
    const std::string size = std::to_string(exchange.honest.body->size_bytes());
    answer = RawAnswer{.line = "HTTP/1.1 416 Requested Range Not Satisfiable"};
    answer.set("Content-Range", "bytes */" + size).set("Content-Type", "text/plain; charset=utf-8");
    answer.set("Content-Length", size);
    exchange.client.send(answer.head() + "invalid range: failed to overlap\n");
    return false;
  };
}

const std::string kHubLimit =
    "You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: "
    "https://www.docker.com/increase-rate-limits";
const std::string kTooMany = R"({"errors":[{"code":"TOOMANYREQUESTS","message":"Rate exceeded"}]})";
const std::string kText = "text/plain; charset=utf-8";

std::vector<RegistryTrouble> troubles() {
  return {
      {"hub", "TheLimitIsReached", Who::registry, "/manifests/v2", kAlways,
       says(429, kText, kHubLimit,
            {{"ratelimit-limit", "100;w=21600"}, {"ratelimit-remaining", "0;w=21600"}, {"retry-after", "21600"}}),
       EBUSY, "429 You have reached your pull rate limit."},
      {"hub", "TheLimitIsNear", Who::registry, "/manifests/", kAlways,
       adds({{"ratelimit-limit", "100;w=21600"}, {"ratelimit-remaining", "7;w=21600"}}), 0,
       "{self} allows 100 requests in 6 h, and of these 7 are left; run 'docker login {self}' to raise the limit"},
      {"ghcr", "ABodyIsShort", Who::store, "/blobs/", 2, falls_short(), 0, "", 3},
      {"ecr", "TooManyRequestsForAWhile", Who::registry, "/blobs/", 2, says(429, kText, kTooMany), 0, "", 3},
      {"ecr", "TooManyRequestsForEver", Who::registry, "/manifests/v2", kAlways,
       says(429, kText, kTooMany, {{"Retry-After", "3600"}}), EBUSY, "429 TOOMANYREQUESTS \"Rate exceeded\""},
      {"ecr-public", "MoreThanOneRequestInASecond", Who::registry, "/v2/", 3, says(429, "application/json", kTooMany)},
      {"quay", "TheStoresUrlHasExpired", Who::store, "/blobs/", 1,
       says(403, "application/xml", "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"),
       0, "", 2},
      {"aliyun", "TheTokenServiceResets", Who::store, "/auth", 2, resets(), 0, "", 3},
      {"gitlab", "TheTokenServiceFailsForAWhile", Who::store, "/jwt/auth", 1, says(502, "text/html", "<html></html>"),
       0, "", 2},
      {"jfrog", "AnErrorHasNoCode", Who::registry, "/manifests/v2", kAlways,
       says(403, "application/json;charset=ISO-8859-1", R"({"errors":[{"status":403,"message":"Blocked by Xray"}]})"),
       EACCES, "/team/app:v2: access denied, or it does not exist ({self}: 403 Blocked by Xray)"},
      {"plain", "AnErrorIsAWebPage", Who::registry, "/blobs/", 1, says(503, "text/html", "<html>Sorry</html>"), 0, "",
       2},
      {"plain", "AnErrorIsAWebPageForEver", Who::registry, "/manifests/v2", kAlways,
       says(500, "text/html", "<html><title>500</title></html>"), EREMOTEIO, "the server failed ({self}: 500"},
  };
}

class RegistryTroubles : public RegistriesTest, public testing::WithParamInterface<RegistryTrouble> {
 protected:
  RegistryTroubles() : RegistriesTest(registry_profile(GetParam().registry)) {}
};

TEST_P(RegistryTroubles, AreOvercomeOrToldInItsOwnWords) {
  const RegistryTrouble& each = GetParam();
  if (each.registry == "ecr") {
    registry_.require_login();
    write_login(registry_.profile().login);
  }
  registry_.set_trouble(each.who, each.text_in_path, each.times, each.trouble);
  const MountedRegfs mount(spec());
  REGFS_ASSERT_MOUNTED(mount);
  if (each.error == 0) {
    EXPECT_TRUE(reads(mount, "v2", small_));
  } else {
    EXPECT_EQ(open_error(repository(mount) / "v2" / "linux-amd64.tar"), each.error) << mount.log();
  }
  std::string told = each.told;
  for (size_t at = told.find("{self}"); at != std::string::npos; at = told.find("{self}")) {
    told.replace(at, 6, registry_.host());
  }
  EXPECT_TRUE(contains(mount.log(), told));
  const Journal& journal = each.who == Who::store ? registry_.store_journal() : registry_.journal();
  EXPECT_GE(journal.count("", each.text_in_path), each.requests_at_least);
  EXPECT_LE(journal.count("", each.text_in_path), 40u) << "it is asked and asked";
  EXPECT_EQ(registry_.complaints(), Names{});
}

INSTANTIATE_TEST_SUITE_P(Of, RegistryTroubles, testing::ValuesIn(troubles()),
                         [](const testing::TestParamInfo<RegistryTrouble>& of) {
                           std::string name = of.param.registry + "_" + of.param.name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

class ArtifactRegistry : public RegistriesTest {
 protected:
  ArtifactRegistry() : RegistriesTest(registry_profile("ar")) {}
};

TEST_F(ArtifactRegistry, HasNoRepositoryOfOneComponent) {
  const MountedRegfs mount(spec());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(list_directory(mount / registry_.host() / "alone").error, ENOENT) << mount.log();
  EXPECT_EQ(list_directory(repository(mount)).error, 0) << mount.log();
}

class Distribution : public RegistriesTest {
 protected:
  Distribution() : RegistriesTest(registry_profile("distribution")) {}
};

TEST_F(Distribution, RefusesARangeWithTheLengthOfTheBlobAndIsAskedAgain) {
  const std::string layer = FakeRegistry::blob_path("team/app", large_.images[0].layers[0].digest);
  registry_.set_trouble(Who::registry, layer, 1, out_of_range());
  const MountedRegfs mount(spec());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(reads(mount, "v1", large_.images[0]));
  const std::vector<JournalEntry> asked = registry_.journal().entries();
  const auto first = std::find_if(asked.begin(), asked.end(), [&](const auto& entry) { return entry.path == layer; });
  ASSERT_NE(first, asked.end());
  EXPECT_TRUE(first->range) << "a range was refused";
  EXPECT_GE(registry_.journal().count("GET", layer), 2u);
}

class PlainServer : public RegistriesTest {
 protected:
  PlainServer() : RegistriesTest(registry_profile("plain")) {}
};

TEST_F(PlainServer, ListsARepositoryWithoutTagsAsEmpty) {
  registry_.push("team/empty", "", small_);
  const MountedRegfs mount(spec());
  REGFS_ASSERT_MOUNTED(mount);
  const ListOutcome listed = list_directory(mount / registry_.host() / "team" / "empty");
  EXPECT_EQ(listed.error, 0) << mount.log();
  EXPECT_EQ(listed.names, Names{});
}

class PullThrough : public RegistriesTest {
 protected:
  PullThrough() : RegistriesTest(registry_profile("pull-through")) {}
};

TEST_F(PullThrough, IsAskedForRangesOnceItIsWarm) {
  const std::string layer = FakeRegistry::blob_path("team/app", large_.images[0].layers[0].digest);
  {
    const MountedRegfs cold(spec());
    REGFS_ASSERT_MOUNTED(cold);
    EXPECT_TRUE(reads(cold, "v1", large_.images[0]));
  }
  const MountedRegfs warm(spec());
  REGFS_ASSERT_MOUNTED(warm);
  EXPECT_TRUE(reads(warm, "v1", large_.images[0]));
  const std::vector<JournalEntry> asked = registry_.journal().entries();
  EXPECT_GE(std::count_if(asked.begin(), asked.end(),
                          [&](const JournalEntry& entry) { return entry.path == layer && entry.range.has_value(); }),
            2);
}

}  // namespace
}  // namespace regfs::test::registries_faults_test
