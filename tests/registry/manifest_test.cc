// SPDX-License-Identifier: MIT
#include "registry/manifest.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/registry/hostile_documents.h"

namespace regfs::registry::manifest_test {
namespace {

const std::string kHex(64, 'a');
const std::string kDigest = "sha256:" + kHex;
const std::string kConfigType = "application/vnd.oci.image.config.v1+json";
const std::string kLayerType = "application/vnd.oci.image.layer.v1.tar+gzip";

std::string descriptor(const std::string& type, const std::string& digest = "\"" + kDigest + "\"",
                       const std::string& size = "7", const std::string& more = "") {
  return R"({"mediaType":")" + type + R"(","digest":)" + digest + R"(,"size":)" + size + more + "}";
}

std::string manifest(const std::string& layers, const std::string& config = descriptor(kConfigType),
                     std::string_view type = kOciManifest) {
  return R"({"schemaVersion":2,"mediaType":")" + std::string(type) + R"(","config":)" + config + R"(,"layers":[)" +
         layers + "]}";
}

std::string index(const std::string& entries) {
  return R"({"schemaVersion":2,"mediaType":")" + std::string(kOciIndex) + R"(","manifests":[)" + entries + "]}";
}

std::string entry(const std::string& more) {
  return descriptor(std::string(kOciManifest), "\"" + kDigest + "\"", "7", more);
}

void expect_refused(const std::string& body, Errc code, const std::string& words = "", std::string_view expected = "") {
  Result<Document> document = parse_document(body, "", expected);
  ASSERT_FALSE(document) << body.substr(0, 200);
  EXPECT_TRUE(document.error().is(code)) << document.error().context();
  EXPECT_NE(document.error().context().find(words), std::string::npos) << document.error().context();
  EXPECT_LE(document.error().context().size(), 300u);
  for (char c : document.error().context()) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
}

Manifest good_manifest(const std::string& body, std::string_view content_type = "", std::string_view expected = "") {
  Result<Document> document = parse_document(body, content_type, expected);
  EXPECT_TRUE(document) << document.error().context();
  EXPECT_TRUE(std::holds_alternative<Manifest>(*document));
  return std::get<Manifest>(*std::move(document));
}

Index good_index(const std::string& body, std::string_view content_type = "", std::string_view expected = "") {
  Result<Document> document = parse_document(body, content_type, expected);
  EXPECT_TRUE(document) << document.error().context();
  EXPECT_TRUE(std::holds_alternative<Index>(*document));
  return std::get<Index>(*std::move(document));
}

// ---- what is refused -----------------------------------------------------------------------------

TEST(ADocument, WithASizeOfNothingAndTheDigestOfSomethingIsRefused) {
  const std::string something = descriptor(kLayerType, "\"" + kDigest + "\"", "0");
  expect_refused(manifest(something), Errc::malformed, "layer 1");
  expect_refused(manifest("", descriptor(kConfigType, "\"" + kDigest + "\"", "0")), Errc::malformed, "config");
  expect_refused(index(descriptor(std::string(kOciManifest), "\"" + kDigest + "\"", "0")), Errc::malformed, "entry 1");
  const std::string nothing = "\"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"";
  EXPECT_EQ(good_manifest(manifest(descriptor(kLayerType, nothing, "0"))).layers.at(0).size_bytes, 0u);
}

TEST(ADocument, ThatGivesOneDigestTwoSizesIsRefused) {
  const std::string other = "\"sha256:" + std::string(64, 'b') + "\"";
  const std::string seven = descriptor(kLayerType, other, "7");
  expect_refused(manifest(seven + "," + descriptor(kLayerType, other, "8")), Errc::malformed, "layer 2");
  expect_refused(manifest(descriptor(kLayerType, "\"" + kDigest + "\"", "8")), Errc::malformed, "layer 1");
  EXPECT_EQ(good_manifest(manifest(seven + "," + seven)).layers.size(), 2u);
}

TEST(ADocument, CalledAnIndexThatListsNothingAtAllIsRefused) {
  for (const char* body : {"{}", R"({"schemaVersion":2})"}) {
    Result<Document> document = parse_document(body, kOciIndex);
    ASSERT_FALSE(document) << body;
    EXPECT_TRUE(document.error().is(Errc::malformed)) << body;
  }
}

TEST(Document, IsNoHostileDocument) {
  for (const HostileDocument& hostile : hostile_documents()) {
    for (std::string_view content_type : {std::string_view(), kOciManifest, kDockerManifestList}) {
      Result<Document> document = parse_document(hostile.body, content_type);
      ASSERT_FALSE(document) << hostile.name;
      EXPECT_TRUE(document.error().is(Errc::malformed) || document.error().is(Errc::too_large)) << hostile.name;
      EXPECT_LE(document.error().context().size(), 200u) << hostile.name;
    }
  }
}

TEST(Document, SaysThatAWebPageIsNone) {
  expect_refused("<html>Sign in</html>", Errc::malformed, "not JSON");
  expect_refused("<html>Sign in</html>", Errc::malformed, "starts with '<'");
}

TEST(Document, IsAtMost4MiB) {
  std::string body = manifest("");
  EXPECT_TRUE(parse_document(body + std::string(kMaxManifestBytes - body.size(), ' '), ""));
  expect_refused(body + std::string(kMaxManifestBytes - body.size() + 1, ' '), Errc::too_large);
}

TEST(Document, HasMembersOfTheRightTypes) {
  for (const char* wrong : {"7", "-1", "1.5", "true", "\"x\"", "[[]]", "[null]", "[7]", "[\"x\"]", "[{}]"}) {
    std::string value = wrong;
    expect_refused(R"({"schemaVersion":2,"manifests":)" + value + "}", Errc::malformed);
    expect_refused(R"({"schemaVersion":2,"config":)" + descriptor(kConfigType) + R"(,"layers":)" + value + "}",
                   Errc::malformed);
    expect_refused(R"({"schemaVersion":2,"layers":[],"config":)" + value + "}", Errc::malformed);
    if (value != "\"x\"") expect_refused(R"({"mediaType":)" + value + "}", Errc::malformed, "mediaType");
    if (value != "7")
      expect_refused(R"({"schemaVersion":)" + value + R"(,"manifests":[]})", Errc::malformed, "schemaVersion");
    expect_refused(index(entry(R"(,"platform":)" + value)), Errc::malformed, "entry 1");
    expect_refused(index(entry(R"(,"annotations":)" + value)), Errc::malformed, "entry 1");
    if (value != "\"x\"") {
      for (const char* part : {"os", "architecture", "variant", "os.version"}) {
        expect_refused(index(entry(R"(,"platform":{")" + std::string(part) + "\":" + value + "}")), Errc::malformed,
                       part);
      }
    }
    if (value != "[\"x\"]")
      expect_refused(manifest(descriptor(kLayerType, "\"" + kDigest + "\"", "7", R"(,"urls":)" + value)),
                     Errc::malformed, "urls");
  }
}

TEST(Document, HasSizesInRange) {
  for (const std::string& size : hostile_numbers()) {
    std::string digest = "\"" + kDigest + "\"";
    SCOPED_TRACE(size);
    expect_refused(manifest(descriptor(kLayerType, digest, size)), Errc::malformed);
    if (size.size() > 100) continue;  // refused before anyone knows where it stands
    expect_refused(manifest(descriptor(kLayerType, digest, size)), Errc::malformed, "layer 1");
    expect_refused(manifest("", descriptor(kConfigType, digest, size)), Errc::malformed, "config");
    expect_refused(index(descriptor(std::string(kOciManifest), digest, size)), Errc::malformed, "entry 1");
  }
  expect_refused(manifest(descriptor(kLayerType, "\"" + kDigest + "\"", "1099511627776")), Errc::malformed,
                 "out of range");
  expect_refused(manifest(R"({"mediaType":")" + kLayerType + R"(","digest":")" + kDigest + "\"}"), Errc::malformed,
                 "'size' is missing");
}

TEST(Document, HasDigestsThatAreDigests) {
  for (const std::string& digest :
       {std::string("\"\""), std::string("7"), std::string("null"), "\"" + kHex + "\"",
        "\"sha256:../../etc/passwd\"" + std::string(), "\"sha256:" + kHex.substr(1) + "A\"", "\"sha256:" + kHex + "0\"",
        "\"sha256:" + kHex.substr(4) + R"(\r\n?#")", "\"sha256:" + kHex.substr(1) + R"(\u0000")"}) {
    expect_refused(manifest(descriptor(kLayerType) + "," + descriptor(kLayerType, digest)), Errc::malformed, "layer 2");
    expect_refused(manifest("", descriptor(kConfigType, digest)), Errc::malformed, "config");
    expect_refused(index(entry("") + "," + descriptor(std::string(kOciManifest), digest)), Errc::malformed, "entry 2");
  }
}

TEST(Document, OfADigestThatCannotBeVerifiedIsUnsupported) {
  std::string sha512 = "\"sha512:" + kHex + kHex + "\"";
  expect_refused(manifest(descriptor(kLayerType, sha512)), Errc::unsupported, "sha512");
  expect_refused(index(descriptor(std::string(kOciManifest), "\"md5:d41d8cd98f00b204e9800998ecf8427e\"")),
                 Errc::unsupported, "md5");
}

TEST(Document, IsNotTwoDocumentsAtOnce) {
  std::string both = R"("config":)" + descriptor(kConfigType) + R"(,"layers":[],"manifests":[])";
  expect_refused("{" + both + "}", Errc::malformed, "at once");
  for (std::string_view type : {kOciIndex, kOciManifest, kDockerManifest, kDockerManifestList}) {
    expect_refused(R"({"mediaType":")" + std::string(type) + "\"," + both + "}", Errc::malformed, "at once");
  }
  expect_refused(R"({"layers":[],"manifests":[]})", Errc::malformed, "at once");
  expect_refused(R"({"layers":[],"fsLayers":[]})", Errc::malformed, "at once");
  expect_refused(R"({"mediaType":")" + std::string(kOciIndex) + R"(","layers":[]})", Errc::malformed,
                 "calls itself an index");
  expect_refused(R"({"mediaType":")" + std::string(kOciManifest) + R"(","manifests":[]})", Errc::malformed,
                 "'config' is missing");
}

TEST(Document, IsWhatTheIndexCallsIt) {
  expect_refused(manifest(""), Errc::malformed, "the index calls it", kOciIndex);
  expect_refused(manifest(""), Errc::malformed, "the index calls it", kDockerManifest);
  expect_refused(R"({"manifests":[]})", Errc::malformed, "that the index calls it", kOciManifest);
  expect_refused(R"({"layers":[],"config":)" + descriptor(kConfigType) + "}", Errc::malformed,
                 "that the index calls it", kOciIndex);
  EXPECT_EQ(good_manifest(manifest(""), "", kOciManifest).media_type, kOciManifest);
}

TEST(Document, OfNoKnownKindIsNone) {
  expect_refused("{}", Errc::malformed, "neither an index nor a manifest");
  expect_refused(R"({"errors":[{"code":"DENIED"}]})", Errc::malformed, "neither");
  expect_refused(R"({"schemaVersion":3,"manifests":[]})", Errc::unsupported, "schemaVersion is 3");
  expect_refused(R"({"mediaType":"a\u001b[31m b","manifests":[]})", Errc::malformed, "'a\\x1b[31m b'");
  expect_refused(R"({"mediaType":")" + std::string(300, 'a') + R"(","manifests":[]})", Errc::malformed, "aaa…'");
}

TEST(Document, OfDockerSchema1IsUnsupported) {
  expect_refused(
      R"({"schemaVersion":1,"name":"a","fsLayers":[{"blobSum":")" + kDigest + R"("}],"history":[],"signatures":[]})",
      Errc::unsupported, "schema 1");
  expect_refused(R"({"schemaVersion":1})", Errc::unsupported, "schema 1");
  expect_refused(R"({"fsLayers":[]})", Errc::unsupported, "schema 1");
  expect_refused(R"({"mediaType":"application/vnd.docker.distribution.manifest.v1+prettyjws"})", Errc::unsupported,
                 "schema 1");
}

TEST(Document, OfAnArtifactIsNoImage) {
  const std::string helm = "application/vnd.cncf.helm.config.v1+json";
  expect_refused(manifest(descriptor("application/vnd.cncf.helm.chart.content.v1.tar+gzip"), descriptor(helm)),
                 Errc::unsupported, "not an image: its config is of the type '" + helm + "'");
  expect_refused(manifest(descriptor("application/vnd.dev.cosign.simplesigning.v1+json")), Errc::unsupported,
                 "not an image: its content is of the type 'application/vnd.dev.cosign");
  expect_refused(R"({"mediaType":")" + std::string(kOciManifest) +
                     R"(","artifactType":"application/spdx+json","layers":[],"config":)" +
                     descriptor("application/vnd.oci.empty.v1+json") + "}",
                 Errc::unsupported, "not an image: its artifact type is 'application/spdx+json'");
  expect_refused(R"({"mediaType":"application/vnd.oci.artifact.manifest.v1+json","blobs":[]})", Errc::unsupported,
                 "not an image");
}

TEST(Document, HasABoundedNumberOfParts) {
  std::string layers = descriptor(kLayerType) + repeated("," + descriptor(kLayerType), kMaxLayers - 1);
  EXPECT_EQ(good_manifest(manifest(layers)).layers.size(), kMaxLayers);
  expect_refused(manifest(layers + "," + descriptor(kLayerType)), Errc::malformed, "more than 1000 layers");
  std::string entries = entry("") + repeated("," + entry(""), kMaxIndexEntries - 1);
  EXPECT_EQ(good_index(index(entries)).entries.size(), kMaxIndexEntries);
  expect_refused(index(entries + "," + entry("")), Errc::malformed, "more than 10000 entries");
}

TEST(Document, HasAConfigOfBoundedSize) {
  EXPECT_TRUE(parse_document(manifest("", descriptor(kConfigType, "\"" + kDigest + "\"", "4194304")), ""));
  expect_refused(manifest("", descriptor(kConfigType, "\"" + kDigest + "\"", "4194305")), Errc::too_large, "config");
}

TEST(Document, OfALayerWithoutATypeIsMalformed) {
  expect_refused(manifest(R"({"digest":")" + kDigest + R"(","size":7})"), Errc::malformed, "'mediaType' is missing");
  expect_refused(index(R"({"digest":")" + kDigest + R"(","size":7})"), Errc::malformed, "'mediaType' is missing");
}

// ---- what is read --------------------------------------------------------------------------------

TEST(Manifest, NamesItsConfigAndItsLayersInOrder) {
  std::string second = "\"sha256:" + std::string(64, 'b') + "\"";
  Manifest parsed = good_manifest(
      manifest(descriptor(kLayerType) + "," + descriptor(kLayerType, second, "9") + "," + descriptor(kLayerType)));
  EXPECT_EQ(parsed.media_type, kOciManifest);
  EXPECT_EQ(parsed.config.media_type, kConfigType);
  EXPECT_EQ(parsed.config.digest.str(), kDigest);
  ASSERT_EQ(parsed.layers.size(), 3u);
  EXPECT_EQ(parsed.layers[1].digest.hex(), std::string(64, 'b'));
  EXPECT_EQ(parsed.layers[1].size_bytes, 9u);
  EXPECT_EQ(parsed.layers[0], parsed.layers[2]) << "a layer may repeat";
}

TEST(Manifest, MayHaveNoLayers) {
  EXPECT_TRUE(good_manifest(manifest("")).layers.empty());
  EXPECT_TRUE(good_manifest(R"({"layers":null,"config":)" + descriptor(kConfigType) + "}").layers.empty());
}

TEST(Manifest, MayHaveTheLargestLayerThereIs) {
  const std::string other = "\"sha256:" + std::string(64, 'b') + "\"";
  EXPECT_EQ(good_manifest(manifest(descriptor(kLayerType, other, "1099511627775"))).layers[0].size_bytes,
            kMaxLayerBytes - 1);
}

TEST(Manifest, OfDockersEarlyDaysMayMislabelItsConfig) {
  const std::string layer = descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip");
  EXPECT_EQ(good_manifest(manifest(layer, descriptor("application/octet-stream"), kDockerManifest)).config.media_type,
            "application/octet-stream");
  expect_refused(manifest(layer, descriptor("application/octet-stream"), kOciManifest), Errc::unsupported);
}

TEST(Manifest, KeepsUrlsOfForeignLayersOnly) {
  const std::string urls =
      R"(,"urls":["https://a/x?y=z","http://b/","HTTPS://c/x","file:///etc/passwd","gopher://d","ftp://e/x","//f/x","x","",)"
      R"("https://","https://user:secret@g/x","https://h/\r\nX: y","https://i/ x","https://\u00e4/x"])";
  std::string digest = "\"" + kDigest + "\"";
  Manifest parsed = good_manifest(
      manifest(descriptor("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", digest, "7", urls) + "," +
               descriptor("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", digest, "7", urls) + "," +
               descriptor(kLayerType, digest, "7", urls)));
  const std::vector<std::string> kept = {"https://a/x?y=z", "http://b/", "HTTPS://c/x"};
  EXPECT_EQ(parsed.layers[0].urls, kept);
  EXPECT_EQ(parsed.layers[1].urls, kept);
  EXPECT_TRUE(parsed.layers[2].urls.empty());
}

TEST(Document, WithoutAMediaTypeIsKnownByItsMembers) {
  const std::string plain = R"({"schemaVersion":2,"layers":[],"config":)" + descriptor(kConfigType) + "}";
  EXPECT_EQ(good_manifest(plain).media_type, kOciManifest);
  EXPECT_EQ(good_manifest(plain, "text/plain; charset=utf-8").media_type, kOciManifest);
  EXPECT_EQ(good_manifest(plain, kOciIndex).media_type, kOciManifest) << "the header does not decide";
  EXPECT_EQ(good_manifest(plain, "", kDockerManifest).media_type, kDockerManifest);
  EXPECT_EQ(good_index(R"({"schemaVersion":2,"manifests":[]})").media_type, kOciIndex);
  EXPECT_EQ(
      good_index(R"({"manifests":[]})", "Application/vnd.docker.distribution.manifest.list.v2+json ; charset=utf-8")
          .media_type,
      kDockerManifestList);
}

TEST(Document, ThatSaysNothingIsWhatTheHeaderSays) {
  EXPECT_TRUE(good_index(R"({"schemaVersion":2,"manifests":null})", kOciIndex).entries.empty());
  EXPECT_FALSE(parse_document(R"({"schemaVersion":2})", kOciManifest));
}

TEST(Document, IsNotRefusedForAContentTypeAlone) {
  EXPECT_EQ(good_manifest(manifest(""), "text/plain").media_type, kOciManifest);
  EXPECT_EQ(good_manifest(manifest(""), kDockerManifestList).media_type, kOciManifest);
}

TEST(Index, MayBeEmpty) {
  EXPECT_TRUE(good_index(index("")).entries.empty());
  EXPECT_TRUE(good_index(R"({"schemaVersion":2,"manifests":null})").entries.empty());
}

TEST(Index, ReadsPlatformsAsTheyStand) {
  Index parsed = good_index(index(
      entry(R"(,"platform":{"os":"linux","architecture":"arm","variant":"v7"})") + "," +
      entry(R"(,"platform":{"os":"windows","architecture":"amd64","os.version":"10.0.1"})") + "," + entry("") + "," +
      entry(R"(,"platform":null)") + "," + entry(R"(,"platform":{"os":"../../etc","architecture":"a/b"})")));
  ASSERT_EQ(parsed.entries.size(), 5u);
  EXPECT_EQ(parsed.entries[0].platform, (Platform{"linux", "arm", "v7", ""}));
  EXPECT_EQ(parsed.entries[1].platform, (Platform{"windows", "amd64", "", "10.0.1"}));
  EXPECT_EQ(parsed.entries[2].platform, std::nullopt);
  EXPECT_EQ(parsed.entries[3].platform, std::nullopt);
  EXPECT_EQ(parsed.entries[4].platform->os, "../../etc") << "naming files is file_stem's";
}

TEST(Index, MarksAttestations) {
  Index parsed = good_index(index(
      entry(R"(,"platform":{"os":"unknown","architecture":"unknown"})") + "," +
      entry(R"(,"annotations":{"vnd.docker.reference.type":"attestation-manifest"})") + "," +
      entry(
          R"(,"platform":{"os":"linux","architecture":"unknown"},"annotations":{"vnd.docker.reference.type":"x","n":7})")));
  EXPECT_TRUE(parsed.entries[0].attestation);
  EXPECT_TRUE(parsed.entries[1].attestation);
  EXPECT_FALSE(parsed.entries[2].attestation);
}

TEST(Index, KeepsEntriesOfOtherTypesForItsCallersToJudge) {
  Index parsed =
      good_index(index(descriptor("application/vnd.example.thing") + "," + descriptor(std::string(kOciIndex))));
  ASSERT_EQ(parsed.entries.size(), 2u);
  EXPECT_EQ(parsed.entries[0].descriptor.media_type, "application/vnd.example.thing");
  EXPECT_EQ(parsed.entries[1].descriptor.media_type, kOciIndex);
}

}  // namespace
}  // namespace regfs::registry::manifest_test
