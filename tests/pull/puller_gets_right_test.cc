// SPDX-License-Identifier: MIT
// Fifteen things that scripts of this kind get wrong, each by its number and a name.
#include <sys/mount.h>

#include <atomic>
#include <fstream>

#include "tests/pull/pull_fixture.h"
#include "tests/support/certificates.h"
#include "tests/support/mounted_regfs.h"
#include "tests/support/rude_answers.h"
#include "tests/support/tls_front.h"

namespace regfs::test::puller_gets_right_test {
namespace {

constexpr const char* kAmd64 = "--platform=linux/amd64";

class PullerGetsRight : public PullTest {
 protected:
  void SetUp() override { registry_.push("acme/app", "1.0", image_); }

  Pulled pull_app() { return pull({kAmd64, "-o", "a.tar", name_of("acme/app", "1.0")}); }
  void expect_no_archive(const Pulled& pulled, int status) {
    EXPECT_EQ(pulled.status, status) << pulled.error;
    EXPECT_FALSE(exists(in("a.tar")));
  }
  void expect_good_archive() {
    const Pulled pulled = pull_app();
    EXPECT_EQ(pulled.status, 0) << pulled.error;
    EXPECT_TRUE(is_archive(in("a.tar"), model_of(image_, "acme/app", "1.0")));
  }
  std::string blob(size_t layer) const { return FakeRegistry::blob_path("acme/app", image_.layers[layer].digest); }
  std::string manifest_json() const { return run({"tar", "-xOf", in("a.tar"), "manifest.json"}).output; }

  const SampleImage image_ = make_image({.layers = {seeded_layer(1, 9'000'000), seeded_layer(2, 300'000)}});
};

TEST_F(PullerGetsRight, P01_ACertificateThatNobodyVouchesForIsSentNothing) {
  const TlsFront front(TestAuthority().issue(), registry_.host());
  expect_no_archive(pull({"-o", "a.tar", front.host() + "/acme/app:1.0"}), kNotARegistry);
  EXPECT_GT(front.handshakes_begun(), 0u);
  EXPECT_EQ(front.bytes_received(), 0u);
  EXPECT_EQ(front.plain_clients(), 0u);
}

TEST_F(PullerGetsRight, P01_ACertificateOfATrustedAuthorityIsTaken) {
  const TestAuthority authority;
  const TlsFront front(authority.issue(), registry_.host());
  const std::string certificates = scratch_ / "certs";
  ::mkdir(certificates.c_str(), 0755);
  std::ofstream(certificates + "/ca-certificates.crt") << authority.certificate_pem();
  std::vector<std::string> words{
      "unshare", "--mount", "sh", "-c", "mount --bind \"$0\" /etc/ssl/certs && exec \"$@\"", certificates};
  std::vector<std::string> probe = words;
  probe.push_back("true");
  if (run(probe).status != 0) GTEST_SKIP() << "no bind mounts here";
  const std::vector<std::string> pulls = command({kAmd64, "-o", "a.tar", front.host() + "/acme/app:1.0"});
  words.insert(words.end(), pulls.begin(), pulls.end());
  const Finished finished = run(words);
  ASSERT_EQ(finished.status, 0) << finished.error;
  EXPECT_TRUE(is_archive(in("a.tar"), ArchiveModel(image_, front.host(), "acme/app", "1.0")));
  EXPECT_GT(front.bytes_received(), 0u);
  EXPECT_EQ(front.plain_clients(), 0u);
}

TEST_F(PullerGetsRight, P02_ABlobWithAWrongDigestLeavesNoArchive) {
  registry_.break_path(blob(0), flips_byte_at(5'000'000));
  const Pulled pulled = pull_app();
  expect_no_archive(pulled, kBadData);
  EXPECT_TRUE(contains(pulled.error, image_.layers[0].digest.hex().substr(0, 12)));
  registry_.mend(blob(0));
  expect_good_archive();
}

TEST_F(PullerGetsRight, P02_AConfigWithAWrongDigestLeavesNoArchive) {
  std::string other = image_.config;
  other[other.find("2024")] = '3';
  registry_.put_blob(image_.config_digest, kept_bytes(other));
  expect_no_archive(pull_app(), kBadData);
}

TEST_F(PullerGetsRight, P02_AManifestWithAWrongDigestLeavesNoArchive) {
  const SampleImage other = make_image({.layers = {seeded_layer(3, 20'000)}});
  registry_.put_manifest_as("acme/app", image_.digest, image_.media_type, other.manifest);
  expect_no_archive(pull({"-o", "a.tar", registry_.host() + "/acme/app@" + image_.digest.str()}), kBadData);
}

TEST_F(PullerGetsRight, P02_ALayerThatIsCutShortLeavesNoArchive) {
  registry_.break_path(blob(1), rewrites([](const ScriptedExchange&, RawAnswer& answer) {
                         answer.line = "HTTP/1.1 200 OK";
                         answer.remove("Content-Range").set_body(answer.body.substr(0, answer.body.size() / 2));
                       }));
  expect_no_archive(pull_app(), kBadData);
}

TEST_F(PullerGetsRight, P03_ALayerThatCannotBeFetchedIsAFailureAndNoArchive) {
  registry_.break_path(blob(1), answers(404));
  const Pulled pulled = pull_app();
  expect_no_archive(pulled, kBadData);
  EXPECT_TRUE(contains(pulled.error, name_of("acme/app", "1.0")));
}

TEST_F(PullerGetsRight, P04_NameAndPasswordGoToTheTokenServiceAndNotToTheRegistry) {
  registry_.require_token();
  std::atomic<int> basic_to_registry = 0;
  std::atomic<int> basic_to_token = 0;
  const auto counts = [](std::atomic<int>& count) {
    return rewrites([&count](const ScriptedExchange& exchange, RawAnswer&) {
      const auto found = exchange.request.headers.find("authorization");
      if (found != exchange.request.headers.end() && found->second.starts_with("Basic ")) ++count;
    });
  };
  registry_.break_path("/v2/*", counts(basic_to_registry));
  registry_.break_path("/token", counts(basic_to_token));
  const Pulled pulled =
      pull({kAmd64, "-o", "a.tar", "--username", "ann", name_of("acme/app", "1.0")}, {"REGFS_PASSWORD=s3cret"});
  ASSERT_EQ(pulled.status, 0) << pulled.error;
  EXPECT_GT(basic_to_token, 0);
  EXPECT_EQ(basic_to_registry, 0);
  EXPECT_EQ(pulled.error.find("s3cret"), std::string::npos);
  EXPECT_TRUE(is_archive(in("a.tar"), model_of(image_, "acme/app", "1.0")));
}

TEST_F(PullerGetsRight, P05_LinuxArm64IsArm64OfVariantV8) {
  const SampleIndex index = multi_platform(5, 30'000);
  registry_.push("multi", "1", index);
  for (const char* const word : {"linux/arm64", "linux/arm64/v8", "linux/aarch64"}) {
    const Pulled pulled = pull({"--platform", word, "-o", "a.tar", name_of("multi", "1")});
    EXPECT_EQ(pulled.status, 0) << word << ": " << pulled.error;
    EXPECT_TRUE(is_archive(in("a.tar"), model_of(index.images[1], "multi", "1")));
  }
}

// That docker.io and library/ are left out of the familiar name is the archive's business: tests/fs.
TEST_F(PullerGetsRight, P06_TheLoadedNameHasTheHostAndThatOfADigestIsNone) {
  ASSERT_EQ(pull_app().status, 0);
  EXPECT_TRUE(contains(manifest_json(), "\"" + name_of("acme/app", "1.0") + "\""));
  ASSERT_EQ(pull({"-o", "a.tar", registry_.host() + "/acme/app@" + image_.digest.str()}).status, 0);
  EXPECT_EQ(manifest_json().find("acme/app"), std::string::npos) << manifest_json();
  EXPECT_FALSE(manifest_json().empty());
}

TEST_F(PullerGetsRight, P07_ARepositoryOfOneWordBehindAPortHasNoSlashInFront) {
  registry_.push("img", "latest", image_);
  ASSERT_EQ(pull({"-o", "a.tar", registry_.host() + "/img"}).status, 0);
  EXPECT_TRUE(is_archive(in("a.tar"), model_of(image_, "img")));
  EXPECT_EQ(registry_.journal().count("", "/v2//"), 0u);
}

TEST_F(PullerGetsRight, P08_TheFileIsNamedAfterRegistryRepositoryTagAndPlatform) {
  const SampleIndex index = multi_platform(5, 30'000);
  registry_.push("acme/app", "2.0", index);
  ASSERT_EQ(pull({kAmd64, name_of("acme/app", "1.0")}).status, 0);
  ASSERT_EQ(pull({kAmd64, name_of("acme/app", "2.0")}).status, 0);
  ASSERT_EQ(pull({"--platform=linux/arm64", name_of("acme/app", "2.0")}).status, 0);
  std::string host = registry_.host();
  std::replace(host.begin(), host.end(), ':', '_');
  EXPECT_EQ(files(),
            (std::vector<std::string>{host + "_acme_app_1.0_linux-amd64.tar", host + "_acme_app_2.0_linux-amd64.tar",
                                      host + "_acme_app_2.0_linux-arm64.tar"}));
  EXPECT_TRUE(is_archive(in(files()[0]), model_of(image_, "acme/app", "1.0")));
  EXPECT_TRUE(is_archive(in(files()[2]), model_of(index.images[1], "acme/app", "2.0")));
}

TEST_F(PullerGetsRight, P09_LayersOfEveryCompressionAreKeptAsTheyAre) {
  SampleLayer zstd = seeded_layer(11, 60'000);
  zstd.media_type = "application/vnd.oci.image.layer.v1.tar+zstd";
  SampleLayer strange = seeded_layer(12, 60'000);
  strange.media_type = "application/vnd.oci.image.layer.v1.tar+brotli";
  const SampleImage image =
      make_image({.layers = {tar_layer("plain", "as it is"), gzip_layer("packed", "in gzip"), zstd, strange}});
  registry_.push("kinds", "1", image);
  const Pulled pulled = pull({kAmd64, "-o", "a.tar", name_of("kinds", "1")});
  ASSERT_EQ(pulled.status, 0) << pulled.error;
  EXPECT_TRUE(is_archive(in("a.tar"), model_of(image, "kinds", "1")));
}

TEST_F(PullerGetsRight, P10_ALayerThatOccursTwiceIsFetchedAndStoredOnce) {
  const SampleLayer twice = seeded_layer(21, 700'000);
  const SampleImage image = make_image({.layers = {twice, seeded_layer(22, 1'000), twice, twice}});
  registry_.push("twice", "1", image);
  ASSERT_EQ(pull({kAmd64, "-o", "a.tar", name_of("twice", "1")}).status, 0);
  EXPECT_TRUE(is_archive(in("a.tar"), model_of(image, "twice", "1")));
  EXPECT_EQ(total_length(registry_.journal().spans_of(FakeRegistry::blob_path("twice", twice.digest))), 700'000u);
}

TEST_F(PullerGetsRight, P11_TheCacheHoldsLayersUnderTheirOwnDigestOnAnyFilesystem) {
  const std::string elsewhere = run({"mktemp", "-d", "-p", "/dev/shm"}).output;
  if (elsewhere.empty()) GTEST_SKIP() << "no /dev/shm here";
  const std::string directory = elsewhere.substr(0, elsewhere.size() - 1);
  const std::string archive = directory + "/a.tar";
  EXPECT_EQ(pull({kAmd64, "-o", archive, name_of("acme/app", "1.0")}).status, 0);
  EXPECT_TRUE(is_archive(archive, model_of(image_, "acme/app", "1.0")));
  std::filesystem::remove_all(directory);
  for (const SampleLayer& layer : image_.layers) {
    EXPECT_EQ(digest_of_file(published_path(cache_, layer.digest)).digest, layer.digest);
  }
}

TEST_F(PullerGetsRight, P11_ACachedLayerThatHasChangedIsNotBelieved) {
  ASSERT_EQ(pull_app().status, 0);
  const std::string path = published_path(cache_, image_.layers[1].digest);
  ::chmod(path.c_str(), 0600);
  std::fstream(path, std::ios::in | std::ios::out).seekp(1000) << "rotten";
  ASSERT_NE(digest_of_file(path).digest, image_.layers[1].digest);
  expect_good_archive();
}

// Filing old archives in the cache is the work of another program. This one owes it that whatever lies in the cache
// under its digest, whoever put it there, is not fetched again.
TEST_F(PullerGetsRight, P12_ALayerThatAnotherProgramHasFiledIsAHit) {
  if (const std::string reason = why_no_mounts(); !reason.empty()) GTEST_SKIP() << reason;
  {
    MountedRegfs mount({.cache_directory = cache_});
    ASSERT_TRUE(mount.mounted()) << mount.log();
    const std::string tar = mount / registry_.host() / "acme" / "app" / "1.0" / "linux-amd64.tar";
    ASSERT_EQ(digest_of_file(tar).error, 0) << mount.log();
  }
  registry_.journal().forget();
  const Pulled pulled = pull_app();
  ASSERT_EQ(pulled.status, 0) << pulled.error;
  EXPECT_TRUE(contains(pulled.error, "layers 2 of 2 from the cache"));
  EXPECT_EQ(requests_for("acme/app", image_.layers[0]) + requests_for("acme/app", image_.layers[1]), 0u);
}

TEST_F(PullerGetsRight, P13_ABrokenConnectionGoesOnWhereItBroke) {
  registry_.break_path(blob(0), resets_once_at(6'000'000));
  expect_good_archive();
  EXPECT_LT(sent_bytes(), layer_bytes(image_) + 4'000'000);
}

TEST_F(PullerGetsRight, P13_ARegistryThatAsksForPatienceGetsIt) {
  registry_.break_path(blob(1), answers(429, "1").only(1));
  registry_.break_path(FakeRegistry::manifest_path("acme/app", "1.0"), answers(503).only(1));
  expect_good_archive();
}

TEST_F(PullerGetsRight, P13_ATokenThatIsNoLongerTakenIsFetchedAnew) {
  registry_.require_token();
  const std::string realm = "Bearer realm=\"http://" + registry_.host() +
                            "/token\",service=\"fake\",scope=\"repository:acme/app:pull\",error=\"invalid_token\"";
  registry_.break_path(
      blob(0), rewrites([realm](const ScriptedExchange&, RawAnswer& answer) {
                 answer = RawAnswer{.line = "HTTP/1.1 401 Unauthorized"}.set("WWW-Authenticate", realm).set_body("");
               }).only(1));
  expect_good_archive();
  EXPECT_GE(registry_.journal().count("GET", "/token"), 2u);
}

TEST_F(PullerGetsRight, P14_NothingIsNeededOrLeftBesideTheArchive) {
  ::mkdir(in("docker_app_1.0").c_str(), 0755);
  std::ofstream(in("docker_app_1.0/mine")) << "kept";
  ASSERT_EQ(pull({"--no-cache", kAmd64, "-o", "a.tar", name_of("acme/app", "1.0")}).status, 0);
  EXPECT_EQ(files(), (std::vector<std::string>{"a.tar", "docker_app_1.0"}));
  EXPECT_EQ(text_file(in("docker_app_1.0/mine")), "kept");
}

TEST_F(PullerGetsRight, P15_AnImageForOnePlatformIsNotTakenForAnother) {
  const Pulled pulled = pull({"--platform", "linux/s390x", "-o", "a.tar", name_of("acme/app", "1.0")});
  expect_no_archive(pulled, kNotFound);
  EXPECT_TRUE(contains(pulled.error, "linux/amd64"));
}

TEST_F(PullerGetsRight, P15_Schema1IsRefusedInWords) {
  registry_.put_manifest(
      "old", "1", "application/vnd.docker.distribution.manifest.v1+prettyjws",
      R"({"schemaVersion":1,"name":"old","tag":"1","architecture":"amd64","fsLayers":[],"history":[]})");
  const Pulled pulled = pull({"-o", "a.tar", name_of("old", "1")});
  expect_no_archive(pulled, kBadData);
  EXPECT_TRUE(contains(pulled.error, "schema"));
}

TEST_F(PullerGetsRight, P15_AnIndexInAnIndexIsFollowed) {
  const SampleIndex inner = multi_platform(31, 40'000);
  registry_.push("nested", "", inner);
  const std::string outer = R"({"schemaVersion":2,"mediaType":")" + inner.media_type +
                            R"(","manifests":[{"mediaType":")" + inner.media_type + R"(","digest":")" +
                            inner.digest.str() + R"(","size":)" + std::to_string(inner.body.size()) + "}]}";
  registry_.put_manifest("nested", "1", inner.media_type, outer);
  const Pulled pulled = pull({"--platform", "linux/arm64", "-o", "a.tar", name_of("nested", "1")});
  ASSERT_EQ(pulled.status, 0) << pulled.error;
  EXPECT_TRUE(is_archive(in("a.tar"), model_of(inner.images[1], "nested", "1")));
}

}  // namespace
}  // namespace regfs::test::puller_gets_right_test
