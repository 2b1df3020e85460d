// SPDX-License-Identifier: MIT
// What a network does to a connection and to what is said over it, rows N11 to N19 of the list of faults.
#include <sys/mount.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/mount/faults_fixture.h"
#include "tests/support/certificates.h"
#include "tests/support/tls_front.h"

namespace regfs::test::faults_connection_test {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using std::chrono::steady_clock;

TEST_F(NetworkFaults, N11_ARefusedConnectionIsUnreachableAtOnceAndNotAbsent) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const LayerUnderTest one = push_layer(kMiddle);
  ASSERT_EQ(stat_error(tar_of(mount, one)), 0);
  registry_.refuse_connections();
  const auto begin = steady_clock::now();
  EXPECT_EQ(open_error(mount / registry_.host() / "other" / "latest" / "linux-amd64.tar"), EHOSTUNREACH);
  expect_error(mount, one, EHOSTUNREACH);
  EXPECT_LT(steady_clock::now() - begin, seconds(3));
}

TEST_F(NetworkFaults, N12_ANameThatDoesNotResolveIsUnreachableAndNotAbsent) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(open_error(mount / "registry.invalid" / "app" / "latest" / "linux-amd64.tar"), EHOSTUNREACH);
  EXPECT_EQ(list_directory(mount / "registry.invalid" / "app").error, EHOSTUNREACH);
  EXPECT_TRUE(contains(mount.log(), "registry.invalid"));
}

TEST_F(NetworkFaults, N13_ARegistryThatResetsEverythingAndReturnsIsGoodWithoutARemount) {
  constexpr seconds kBackWithin{60};
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const LayerUnderTest known = push_layer(kMiddle);
  const LayerUnderTest unknown = push_layer(kSmall);
  ASSERT_EQ(stat_error(tar_of(mount, known)), 0);
  registry_.break_path("/*", resets_at_once());
  EXPECT_EQ(open_error(tar_of(mount, unknown)), EIO);
  expect_error(mount, known, EIO);

  registry_.mend("/*");
  EXPECT_TRUE(eventually(kBackWithin, [&] { return read_file(tar_of(mount, known)).error == 0; }));
  EXPECT_TRUE(eventually(kBackWithin, [&] { return read_file(tar_of(mount, unknown)).error == 0; }));
  expect_whole(mount, known);
  expect_whole(mount, unknown);
}

TEST_F(NetworkFaults, N14_AnIdleConnectionThatTheServerClosesIsNotSeen) {
  const MountedRegfs mount({.arguments = {"--log-level", "warning"}});
  REGFS_ASSERT_MOUNTED(mount);
  registry_.break_path("/*", closes_when_idle());
  for (const LayerUnderTest& one : push_layers({kSmall, kMiddle})) expect_whole(mount, one);
  EXPECT_EQ(mount.log(), "");
}

TEST_F(NetworkFaults, N14_AConnectionThatClosesUnderARequestIsOneSilentRetry) {
  const MountedRegfs mount({.arguments = {"--log-level", "warning"}});
  REGFS_ASSERT_MOUNTED(mount);
  for (const LayerUnderTest& one : push_layers({kSmall, kMiddle})) {
    const size_t good_requests = one.layer.content->size_bytes() > kMiB ? 4 : 1;
    break_layer(one, closes_at_once().only(1));
    expect_whole(mount, one);
    EXPECT_GE(requests_for(one), 2u);
    EXPECT_LE(requests_for(one), good_requests + 1);
  }
  EXPECT_EQ(mount.log(), "");
}

TEST_F(NetworkFaults, N15_Http10WithoutKeepAliveIsGoodBytes) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  registry_.break_path("/*", in_http_1_0());
  for (const LayerUnderTest& one : push_layers({kSmall, kMiddle})) {
    expect_whole(mount, one);
    EXPECT_EQ(list_directory(mount / registry_.host() / one.repository).names, std::vector<std::string>{"latest"});
  }
}

TEST_F(NetworkFaults, N16_ChunksWithoutALengthAreGoodBytes) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  registry_.break_path("/*", in_chunks());
  for (const LayerUnderTest& one : push_layers({kSmall, kMiddle, kLarge})) {
    expect_whole(mount, one);
    EXPECT_EQ(list_directory(mount / registry_.host() / one.repository).names, std::vector<std::string>{"latest"});
  }
}

TEST_F(NetworkFaults, N17_InterimAnswersAreSkipped) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  registry_.break_path("/*", after_interim_answers(3));
  for (const LayerUnderTest& one : push_layers({kSmall, kMiddle})) expect_whole(mount, one);
}

TEST_F(NetworkFaults, N17_AFloodOfInterimAnswersIsBounded) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  at_once(push_layers({kSmall, kMiddle}), [&](const LayerUnderTest& one) {
    break_layer(one, interim_answers_for_ever());
    expect_error(mount, one, EIO);
    EXPECT_LE(requests_for(one), kManyRequests);
  });
  const LayerUnderTest one = push_layer(kSmall);
  registry_.break_path(one.tag_path, interim_answers_for_ever());
  EXPECT_EQ(open_error(tar_of(mount, one)), EIO);
  EXPECT_LE(registry_.journal().count("", one.tag_path), kManyRequests);
}

// A mount in a mount namespace of its own, where the system trusts one authority of the tests instead of the world.
class TrustingWorld {
 public:
  TrustingWorld() {
    ::mkdir((scratch_ / "certs").c_str(), 0755);
    ::mkdir((scratch_ / "shared").c_str(), 0755);
    std::ofstream(scratch_ / "certs" + "/ca-certificates.crt") << authority_.certificate_pem();
    // What is mounted below comes out of that namespace, and nothing else does.
    const std::string shared = scratch_ / "shared";
    ready_ = ::mount(shared.c_str(), shared.c_str(), nullptr, MS_BIND, nullptr) == 0 &&
             ::mount(nullptr, shared.c_str(), nullptr, MS_SHARED, nullptr) == 0;
    ::mkdir((shared + "/mnt").c_str(), 0755);
  }
  ~TrustingWorld() { ::umount2((scratch_ / "shared").c_str(), MNT_DETACH); }
  TrustingWorld(const TrustingWorld&) = delete;
  TrustingWorld& operator=(const TrustingWorld&) = delete;

  bool ready() const { return ready_; }
  const TestAuthority& authority() const { return authority_; }
  MountSpec mount_spec() const {
    constexpr const char* kCertificates = "/etc/ssl/certs";
    // Made private first: where the root is shared, the bind would come out as well.
    return {.mountpoint = scratch_ / "shared" + "/mnt",
            .launcher = {"unshare", "--mount", "--propagation", "unchanged", "sh", "-c",
                         "mount --bind \"$1\" \"$1\" && mount --make-private \"$1\" && mount --bind \"$0\" \"$1\" && "
                         "shift && exec \"$@\"",
                         scratch_ / "certs", kCertificates}};
  }

 private:
  const TestAuthority authority_;
  const TempDir scratch_;
  bool ready_ = false;
};

class NetworkFaultsOfTls : public NetworkFaults {
 protected:
  // Not a byte of a request leaves for a server that is not who it must be, and none goes out in the clear.
  void expect_refused(const ServerIdentity& identity, const std::string& reason) {
    const LayerUnderTest one = push_layer(kSmall);
    const TlsFront front(identity, registry_.host());
    const MountedRegfs mount(world_.mount_spec());
    REGFS_ASSERT_MOUNTED(mount);
    EXPECT_EQ(open_error(mount / front.host() / one.repository / "latest" / "linux-amd64.tar"), EIO);
    EXPECT_EQ(list_directory(mount / front.host() / one.repository).error, EIO);
    EXPECT_TRUE(contains(mount.log(), reason));
    EXPECT_GT(front.handshakes_begun(), 0u);
    EXPECT_EQ(front.bytes_received(), 0u);
    EXPECT_EQ(front.plain_clients(), 0u);
    EXPECT_TRUE(registry_.journal().entries().empty());
  }

  void SetUp() override {
    NetworkFaults::SetUp();
    if (!IsSkipped() && !world_.ready()) GTEST_SKIP() << "no bind mounts here";
  }

  const TrustingWorld world_;
};

TEST_F(NetworkFaultsOfTls, N18_WhatTheOtherTestsRefuseIsReadWhenItIsRight) {
  const LayerUnderTest one = push_layer(kMiddle);
  const TlsFront front(world_.authority().issue(), registry_.host());
  const MountedRegfs mount(world_.mount_spec());
  REGFS_ASSERT_MOUNTED(mount);
  const ReadOutcome got = read_file(mount / front.host() / one.repository / "latest" / "linux-amd64.tar");
  EXPECT_EQ(got.error, 0) << mount.log();
  EXPECT_TRUE(same_bytes(got.bytes, ArchiveModel(one.image, front.host(), one.repository, "latest").bytes()));
  EXPECT_GT(front.bytes_received(), 0u);
  EXPECT_EQ(front.plain_clients(), 0u);
}

TEST_F(NetworkFaultsOfTls, N18_AnUnknownAuthorityIsSentNothing) {
  expect_refused(TestAuthority().issue(), "certificate");
}

TEST_F(NetworkFaultsOfTls, N18_AnotherNameIsSentNothing) {
  expect_refused(world_.authority().issue({.subject_name = "DNS:registry.example,IP:127.0.0.2"}), "127.0.0.1");
}

TEST_F(NetworkFaultsOfTls, N18_AnExpiredCertificateIsSentNothing) {
  expect_refused(world_.authority().issue({.valid_from = hours(-48), .valid_until = hours(-24)}), "expired");
}

TEST_F(NetworkFaultsOfTls, N19_ARedirectToPlainHttpIsRefused) {
  const LayerUnderTest one = push_layer(kMiddle);
  const TlsFront front(world_.authority().issue(), registry_.host());
  break_layer(one, redirects_to("http://registry.invalid" + one.blob_path));
  MountedRegfs mount(world_.mount_spec());
  REGFS_ASSERT_MOUNTED(mount);
  const ReadOutcome got = read_in_time(mount, mount / front.host() / one.repository / "latest" / "linux-amd64.tar");
  EXPECT_EQ(got.error, EIO) << "and not EHOSTUNREACH, which would be that it was asked";
  EXPECT_TRUE(contains(mount.log(), "from https to http"));
  EXPECT_FALSE(is_published(mount, one));
}

TEST_F(NetworkFaultsOfTls, N19_ARedirectToPlainHttpOnLoopbackIsFollowedWithoutTheToken) {
  const LayerUnderTest one = push_layer(kMiddle);
  FakeRegistry store;
  store.push(one.repository, "latest", one.image);
  registry_.require_token();
  registry_.redirect_blobs_to(store.host());
  const TlsFront front(world_.authority().issue(), registry_.host());
  const MountedRegfs mount(world_.mount_spec());
  REGFS_ASSERT_MOUNTED(mount);
  const ReadOutcome got = read_file(mount / front.host() / one.repository / "latest" / "linux-amd64.tar");
  EXPECT_EQ(got.error, 0) << mount.log();
  const std::vector<JournalEntry> asked = store.journal().entries();
  EXPECT_FALSE(asked.empty());
  EXPECT_TRUE(std::none_of(asked.begin(), asked.end(), [](const JournalEntry& entry) { return entry.authorized; }));
  EXPECT_TRUE(eventually(kPublishedWithin, [&] { return is_published(mount, one); }));
}

}  // namespace
}  // namespace regfs::test::faults_connection_test
