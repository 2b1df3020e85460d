// SPDX-License-Identifier: MIT
// Documents that are not what they must be: an error that names the reference and what was wrong,
// nothing cached, and a mount that goes on.
#include <algorithm>
#include <cctype>
#include <functional>
#include <ostream>

#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "tests/mount/mount_fixture.h"

namespace regfs::test::bad_input_test {
namespace {

using Json = nlohmann::ordered_json;

struct BadDocument {
  std::string name;
  std::function<std::string()> body;  // made by its own test: every test of the program would wait for all of them
  int error;
  std::vector<std::string> words;  // one of them, in any case, stands in the sentence
  std::string media_type = "application/vnd.oci.image.manifest.v1+json";

  friend std::ostream& operator<<(std::ostream& out, const BadDocument& bad) { return out << bad.name; }
};

const SampleImage& good_image() {
  static const SampleImage image = make_image({.layers = {seeded_layer(1, 50'000)}});
  return image;
}

Json manifest() {
  return Json::parse(good_image().manifest);
}

std::string with_digest(const std::string& digest) {
  Json json = manifest();
  json["layers"][0]["digest"] = digest;
  return json.dump();
}

// The size as it is written, which no JSON type need be able to hold.
std::string with_size(const std::string& size) {
  Json json = manifest();
  json["layers"][0]["size"] = "SIZE";
  std::string text = json.dump();
  return text.replace(text.find("\"SIZE\""), 6, size);
}

std::string with_sizes_that_overflow() {
  Json json = manifest();
  const Json layer = {{"mediaType", "application/vnd.oci.image.layer.v1.tar+gzip"},
                      {"digest", sha256_of("x").str()},
                      {"size", uint64_t{1} << 62}};
  json["layers"] = {layer, layer, layer};
  return json.dump();
}

std::string over_four_mebibytes() {
  Json json = manifest();
  json["annotations"] = {{"padding", std::string((4 << 20) + 1, 'x')}};
  return json.dump();
}

std::string nested() {
  return std::string(100'000, '[') + std::string(100'000, ']');
}

std::string layers_and_manifests() {
  Json json = manifest();
  json["manifests"] = Json::array();
  return json.dump();
}

std::string helm_chart() {
  Json json = manifest();
  json["config"]["mediaType"] = "application/vnd.cncf.helm.config.v1+json";
  const std::string config = "{}";
  json["config"]["digest"] = sha256_of(config).str();
  json["config"]["size"] = config.size();
  return json.dump();
}

std::vector<BadDocument> bad_documents() {
  const std::vector<std::string> size{"size"};
  const std::vector<std::string> digest{"digest"};
  const std::vector<std::string> json{"json"};
  return {
      {"NotJson", [] { return std::string("this is not JSON"); }, EPROTO, json},
      {"CutJson", [] { return good_image().manifest.substr(0, 200); }, EPROTO, json},
      {"Empty", [] { return std::string(""); }, EPROTO, {"json", "empty"}},
      {"Null", [] { return std::string("null"); }, EPROTO, {}},
      {"List", [] { return std::string("[]"); }, EPROTO, {}},
      {"NoImage", [] { return std::string(R"({"schemaVersion":2})"); }, EPROTO, {}},
      {"Nested", nested, EPROTO, {"deep", "depth", "nest"}},
      {"LayersAndManifests", layers_and_manifests, EPROTO, {"manifests"}},
      {"DigestThatIsNotHex", [] { return with_digest("sha256:" + std::string(64, 'x')); }, EPROTO, digest},
      {"DigestThatIsAPath", [] { return with_digest("sha256:../../../etc/passwd"); }, EPROTO, digest},
      {"DigestTooShort", [] { return with_digest("sha256:abc"); }, EPROTO, digest},
      {"DigestOfAnotherAlgorithm",
       [] { return with_digest("sha512:" + std::string(128, 'a')); },
       EOPNOTSUPP,
       {"sha512", "algorithm"}},
      {"NegativeSize", [] { return with_size("-1"); }, EPROTO, size},
      {"SizeOverSixtyThreeBits", [] { return with_size("9223372036854775808"); }, EPROTO, size},
      {"SizeOverSixtyFourBits", [] { return with_size("18446744073709551617"); }, EPROTO, size},
      {"FractionalSize", [] { return with_size("12.5"); }, EPROTO, size},
      {"SizeAsText", [] { return with_size("\"4096\""); }, EPROTO, size},
      {"SumOfSizesThatOverflows", with_sizes_that_overflow, EPROTO, size},
      {"OverFourMebibytes", over_four_mebibytes, EPROTO, {"4 mib", "4194304", "large", "over"}},
      {"SchemaOne",
       [] { return std::string(R"({"schemaVersion":1,"name":"app","tag":"bad","fsLayers":[],"history":[]})"); },
       EOPNOTSUPP,
       {"schema"},
       "application/vnd.docker.distribution.manifest.v1+prettyjws"},
      {"Artifact", helm_chart, EOPNOTSUPP, {}},
  };
}

bool holds_word(std::string text, const std::vector<std::string>& words) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return words.empty() || std::any_of(words.begin(), words.end(),
                                      [&](const std::string& word) { return text.find(word) != std::string::npos; });
}

class BadInputTest : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (IsSkipped()) return;
    registry_.push("app", "good", good_image());
    registry_.put_blob(sha256_of("{}"), kept_bytes("{}"));
  }

  // The line of the log that names the reference.
  static std::string line_about(const std::string& log, const std::string& reference) {
    const size_t at = log.find(reference);
    if (at == std::string::npos) return {};
    const size_t begin = log.rfind('\n', at) + 1;
    return log.substr(begin, log.find('\n', at) - begin);
  }

  void expect_unharmed(const MountedRegfs& mount) const {
    EXPECT_TRUE(
        same_bytes(read_file(tar_of(mount, "app", "good")).bytes, model_of(good_image(), "app", "good").bytes()));
  }
};

class BadManifestTest : public BadInputTest, public testing::WithParamInterface<BadDocument> {};

TEST_P(BadManifestTest, IsAnErrorThatSaysWhatWasWrong) {
  const BadDocument& bad = GetParam();
  const std::string body = bad.body();
  registry_.put_manifest("app", "bad", bad.media_type, body);
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(list_directory(mount / registry_.host() / "app" / "bad").error, bad.error);
  EXPECT_EQ(open_error(tar_of(mount, "app", "bad")), bad.error);
  const std::string line = line_about(mount.log(), registry_.host() + "/app:bad");
  EXPECT_NE(line, "") << "no line names the reference in:\n" << mount.log();
  EXPECT_TRUE(holds_word(line, bad.words)) << line;
  EXPECT_FALSE(exists(published_path(mount.cache_directory(), sha256_of(body))));
  expect_unharmed(mount);
}

INSTANTIATE_TEST_SUITE_P(Documents, BadManifestTest, testing::ValuesIn(bad_documents()),
                         [](const auto& test) { return test.param.name; });

TEST_F(BadInputTest, AWebPageInPlaceOfAManifestIsAnError) {
  registry_.push("app", "bad", good_image());
  registry_.break_path(FakeRegistry::manifest_path("app", "bad"), answers_html());
  registry_.break_path(FakeRegistry::manifest_path("app", good_image().digest.str()), answers_html());
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(list_directory(mount / registry_.host() / "app" / "bad").error, EPROTO);
  EXPECT_NE(line_about(mount.log(), registry_.host() + "/app:bad"), "") << mount.log();
  EXPECT_FALSE(exists(published_path(mount.cache_directory(), good_image().digest)));
  registry_.mend(FakeRegistry::manifest_path("app", good_image().digest.str()));
  expect_unharmed(mount);
}

TEST_F(BadInputTest, AWebPageInPlaceOfATagListIsAnErrorAndNoEmptyDirectory) {
  registry_.break_path(FakeRegistry::tags_path("app"), answers_html());
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const ListOutcome listing = list_directory(mount / registry_.host() / "app");
  EXPECT_EQ(listing.error, EPROTO);
  EXPECT_TRUE(contains(mount.log(), registry_.host() + "/app"));
  expect_unharmed(mount);
}

TEST_F(BadInputTest, AWebPageInPlaceOfALayerIsAnErrorAtTheRead) {
  registry_.break_path(FakeRegistry::blob_path("app", good_image().layers[0].digest), answers_html());
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(read_file(tar_of(mount, "app", "good")).error, EIO);
  EXPECT_FALSE(exists(published_path(mount.cache_directory(), good_image().layers[0].digest)));
  registry_.mend(FakeRegistry::blob_path("app", good_image().layers[0].digest));
  EXPECT_TRUE(eventually(kAfterFailureMemory, [&] { return read_file(tar_of(mount, "app", "good")).error == 0; }));
  expect_unharmed(mount);
}

TEST_F(BadInputTest, APlatformWhoseManifestIsAnotherDocumentIsAnErrorAndItsNeighbourIsNot) {
  const SampleIndex index = multi_platform(5, 20'000);
  registry_.push("app", "index", index);
  registry_.put_manifest_as("app", index.images[1].digest, index.images[1].media_type, index.images[2].manifest);
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(open_error(tar_of(mount, "app", "index", "linux-arm64")), EIO);
  EXPECT_TRUE(contains(mount.log(), index.images[1].digest.str()));
  EXPECT_FALSE(exists(published_path(mount.cache_directory(), index.images[1].digest)));
  EXPECT_TRUE(
      same_bytes(read_file(tar_of(mount, "app", "index")).bytes, model_of(index.images[0], "app", "index").bytes()));
}

TEST_F(BadInputTest, AConfigThatIsNoConfigIsAnError) {
  const std::string config = R"({"rootfs": 7})";
  Json json = manifest();
  json["config"]["digest"] = sha256_of(config).str();
  json["config"]["size"] = config.size();
  registry_.put_manifest("app", "bad", good_image().media_type, json.dump());
  registry_.put_blob(sha256_of(config), kept_bytes(config));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(list_directory(mount / registry_.host() / "app" / "bad").error, EPROTO);
  EXPECT_NE(line_about(mount.log(), registry_.host() + "/app:bad"), "") << mount.log();
  expect_unharmed(mount);
}

TEST_F(BadInputTest, HostilePlatformNamesAreHiddenAndTheGoodOneIsThere) {
  const SampleImage good = good_image();
  std::vector<SampleImage> images{good};
  for (const SamplePlatform& platform :
       {SamplePlatform{"../../etc", "passwd", ""}, SamplePlatform{"a/b", "c", ""}, SamplePlatform{".", ".", ""},
        SamplePlatform{"linux", std::string(300, 'x'), ""}}) {
    images.push_back(make_image({.layers = good.layers, .platform = platform}));
  }
  registry_.push("app", "hostile", make_index(images));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(list_directory(mount / registry_.host() / "app" / "hostile").names,
            std::vector<std::string>{"linux-amd64.tar"});
  EXPECT_EQ(read_file(tar_of(mount, "app", "hostile")).error, 0);
}

}  // namespace
}  // namespace regfs::test::bad_input_test
