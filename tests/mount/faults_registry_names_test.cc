// SPDX-License-Identifier: MIT
// What a registry does wrong with names and documents, row by row of the list of faults: R18, R22 to R25, and R33 and
// R34. Lists of tags stand in faults_registry_lists_test.cc.
#include <atomic>
#include <memory>

#include "tests/mount/faults_fixture.h"
#include "tests/support/gzip.h"

namespace regfs::test::faults_registry_names_test {
namespace {

using Names = std::vector<std::string>;

// An answer of that status with nothing in it.
Fault empty(int status) {
  return rewrites([status](const ScriptedExchange&, RawAnswer& answer) {
    answer = RawAnswer{.line = "HTTP/1.1 " + std::to_string(status) + " Empty"};
    if (status == 200) answer.set_body("");
  });
}

TEST_F(RegistryFaults, R18_AnEmptyAnswerIsNoLayer) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const int status : {200, 204, 304}) {
    const LayerUnderTest one = push_layer(kSmall);
    break_layer(one, empty(status));
    expect_error(mount, one, EIO);
    EXPECT_LE(requests_for(one), kManyRequests);
  }
}

TEST_F(RegistryFaults, R18_AnEmptyAnswerIsNoNameNoPlatformAndNoEmptyDirectory) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const int status : {200, 204, 304}) {
    const int error = status == 200 ? EPROTO : EIO;  // an empty document is a malformed one
    const LayerUnderTest one = push_layer(kSmall);
    const MountPath repository = mount / registry_.host() / one.repository;
    registry_.break_path(one.tag_path, empty(status));
    registry_.break_path(FakeRegistry::tags_path(one.repository), empty(status));
    EXPECT_EQ(open_error(tar_of(mount, one)), error) << status << "\n" << mount.log();
    EXPECT_EQ(list_directory(repository / "latest").error, error) << status;
    EXPECT_EQ(list_directory(repository).error, error) << status;
    EXPECT_FALSE(exists(published_path(mount.cache_directory(), one.image.digest)));

    const LayerUnderTest other = push_layer(kSmall);
    registry_.break_path(FakeRegistry::blob_path(other.repository, other.image.config_digest), empty(status));
    EXPECT_EQ(open_error(tar_of(mount, other)), EIO) << status;
    EXPECT_FALSE(exists(published_path(mount.cache_directory(), other.image.config_digest)));
  }
}

TEST_F(RegistryFaults, R22_AHeadThatIsNotAllowedFallsBackToGet) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const int status : {405, 501}) {
    const LayerUnderTest one = push_layer(kSmall);
    registry_.break_path(FakeRegistry::manifest_path(one.repository, "*"), answers_method("HEAD", status));
    expect_whole(mount, one);
  }
}

TEST_F(RegistryFaults, R23_ADigestHeaderThatLacksOrIsWrongIsNotBelieved) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const std::string wrong = "sha256:" + std::string(64, 'a');
  for (const std::string& value : {std::string(), wrong, std::string("sha256:../../etc"), std::string("md5:0")}) {
    const LayerUnderTest one = push_layer(kMiddle);
    const Fault fault = rewrites([value](const ScriptedExchange&, RawAnswer& answer) {
      answer.remove("Docker-Content-Digest");
      if (!value.empty()) answer.set("Docker-Content-Digest", value);
    });
    registry_.break_path(FakeRegistry::manifest_path(one.repository, "*"), fault);
    registry_.break_path("/v2/" + one.repository + "/blobs/*", fault);
    expect_whole(mount, one);
    EXPECT_TRUE(exists(published_path(mount.cache_directory(), one.image.digest))) << value;
  }
  EXPECT_FALSE(exists(mount.cache_directory() + "/blobs/sha256/" + wrong.substr(7)));
}

TEST_F(RegistryFaults, R24_AnExactAcceptIsGivenForEachOfTheFourTypes) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const auto exacting = rewrites([](const ScriptedExchange& exchange, RawAnswer& answer) {
    const auto accept = exchange.request.headers.find("accept");
    const std::string type = answer.field("Content-Type").value_or("");
    if (accept != exchange.request.headers.end() && accept->second.find(type) != std::string::npos) return;
    answer = RawAnswer{.line = "HTTP/1.1 404 Not Found"}.set_body("");
  });
  for (const Flavour flavour : {Flavour::oci, Flavour::docker}) {
    const SampleIndex index = multi_platform(24, 10'000, flavour);
    const std::string repository = flavour == Flavour::oci ? "oci" : "docker";
    registry_.push(repository, "index", index);
    registry_.push(repository, "image", index.images[0]);
    registry_.break_path(FakeRegistry::manifest_path(repository, "*"), exacting);
    for (const char* const tag : {"index", "image"}) {
      const std::string path = MountTest::tar_of(mount, repository, tag);
      EXPECT_TRUE(same_bytes(read_file(path).bytes, MountTest::model_of(index.images[0], repository, tag).bytes()))
          << repository << " " << tag << "\n"
          << mount.log();
    }
  }
}

TEST_F(RegistryFaults, R25_DocumentsThatComeEncodedAreDecoded) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const auto encoded = std::make_shared<std::atomic<int>>(0);
  registry_.break_path("/*", speaks([encoded](const ScriptedExchange& exchange) {
                         const auto accepted = exchange.request.headers.find("accept-encoding");
                         RawAnswer answer = honest_answer(exchange);
                         if (accepted != exchange.request.headers.end() && accepted->second == "gzip") {
                           ++*encoded;
                           answer.set("Content-Encoding", "gzip").set_body(gzip_stored(answer.body));
                         }
                         return send_answer(exchange, answer);
                       }));
  for (const LayerUnderTest& one : push_layers({kSmall, kMiddle})) {
    expect_whole(mount, one);
    EXPECT_TRUE(exists(published_path(mount.cache_directory(), one.image.digest)));
    EXPECT_EQ(list_directory(mount / registry_.host() / one.repository).names, Names{"latest"});
  }
  EXPECT_GE(*encoded, 4);
}

TEST_F(RegistryFaults, R33_ATagThatMovesOnEveryRequestIsOneImageToWhoeverHasItOpen) {
  constexpr size_t kImages = 6;
  std::vector<SampleImage> images;
  for (size_t number = 0; number < kImages; ++number) {
    images.push_back(make_image({.layers = {seeded_layer(330 + number, kMiB + 70'000 * number)}}));
    registry_.push("app", "", images.back());
  }
  registry_.push("app", "latest", images.front());
  const auto requests = std::make_shared<std::atomic<size_t>>(0);
  registry_.break_path(FakeRegistry::manifest_path("app", "latest"),
                       rewrites([&images, requests](const ScriptedExchange&, RawAnswer& answer) {
                         const SampleImage& image = images[(*requests)++ % images.size()];
                         answer.set("Docker-Content-Digest", image.digest.str()).set_body(image.manifest);
                       }));
  const MountedRegfs mount({.arguments = {"--tag-ttl", "0"}});
  REGFS_ASSERT_MOUNTED(mount);
  for (size_t round = 0; round < kImages; ++round) {
    const OpenOutcome file = open_file(MountTest::tar_of(mount, "app", "latest"));
    ASSERT_EQ(file.error, 0) << mount.log();
    struct stat status {};
    ASSERT_EQ(::fstat(file.fd.get(), &status), 0);
    const ReadOutcome got = read_at(file.fd.get(), 0, UINT64_MAX);
    EXPECT_EQ(got.error, 0);
    EXPECT_EQ(got.bytes.size(), static_cast<uint64_t>(status.st_size));
    const auto same = std::find_if(images.begin(), images.end(), [&](const SampleImage& image) {
      return MountTest::model_of(image, "app", "latest").bytes() == got.bytes;
    });
    ASSERT_NE(same, images.end()) << "the bytes are of no one image";
    const std::string published = published_path(mount.cache_directory(), same->layers[0].digest);
    EXPECT_TRUE(eventually(kPublishedWithin, [&] { return exists(published); }));
  }
  EXPECT_GT(*requests, kImages);
}

TEST_F(RegistryFaults, R34_ATagThatIsDeletedDoesNotExist) {
  const LayerUnderTest one = push_layer(kSmall);
  const MountedRegfs mount({.arguments = {"--tag-ttl", "0"}});
  REGFS_ASSERT_MOUNTED(mount);
  ASSERT_EQ(stat_error(tar_of(mount, one)), 0);
  registry_.drop_tag(one.repository, "latest");
  EXPECT_TRUE(eventually(kAfterFailureMemory, [&] { return open_error(tar_of(mount, one)) == ENOENT; }));
}

TEST_F(RegistryFaults, R34_ATagThatIsNotListedWorks) {
  const LayerUnderTest one = push_layer(kSmall);
  registry_.break_path(FakeRegistry::tags_path(one.repository),
                       rewrites([](const ScriptedExchange&, RawAnswer& answer) {
                         answer.set_body(R"({"name":"app","tags":["other"]})");
                       }));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(list_directory(mount / registry_.host() / one.repository).names, Names{"other"});
  expect_whole(mount, one);
}

TEST_F(RegistryFaults, R34_WhereHeadAndGetDifferTheBytesDecide) {
  const LayerUnderTest one = push_layer(kSmall);
  const LayerUnderTest other = push_layer(kSmall);
  registry_.break_path(one.tag_path, rewrites([&other](const ScriptedExchange& exchange, RawAnswer& answer) {
                         if (exchange.request.method == "HEAD") {
                           answer.set("Docker-Content-Digest", other.image.digest.str());
                         }
                       }));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  expect_whole(mount, one);
}

}  // namespace
}  // namespace regfs::test::faults_registry_names_test
