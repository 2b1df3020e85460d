// SPDX-License-Identifier: MIT
// Registries behind TLS that the system does not trust: whom the user says to trust, and nobody else.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/mount/mount_fixture.h"
#include "tests/support/tls_front.h"

namespace regfs::test::trust_test {
namespace {

class TrustTest : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (IsSkipped()) return;
    registry_.push("app", "latest", image_);
  }

  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
  }
  std::string certs_d(const TlsFront& front, const std::string& name) const {
    return scratch_ / ("containers/certs.d/" + front.host() + "/" + name);
  }
  MountSpec spec() const { return {.environment = {"XDG_CONFIG_HOME=" + scratch_.path()}}; }
  testing::AssertionResult reads(const MountedRegfs& mount, const TlsFront& front) const {
    const ReadOutcome got = read_file(mount / front.host() / "app" / "latest" / "linux-amd64.tar");
    if (got.error != 0) return testing::AssertionFailure() << strerrorname_np(got.error) << "\n" << mount.log();
    return same_bytes(got.bytes, ArchiveModel(image_, front.host(), "app", "latest").bytes());
  }
  static int error_of(const MountedRegfs& mount, const TlsFront& front) {
    return list_directory(mount / front.host() / "app").error;
  }

  const SampleImage image_ = make_image({.layers = {seeded_layer(1, 300'000)}});
  const TestAuthority authority_;
  const TempDir scratch_;
};

TEST_F(TrustTest, AnAuthorityNobodyTrustsIsAnErrorThatSaysWhereToPutIt) {
  const TlsFront front(authority_.issue(), registry_.host());
  const MountedRegfs mount(spec());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(error_of(mount, front), EIO);
  EXPECT_TRUE(contains(mount.log(), "TLS with " + front.host() + " failed"));
  EXPECT_TRUE(contains(mount.log(), "as ca.crt into /etc/docker/certs.d/" + front.host() + "/ or give --ca-cert"));
  EXPECT_EQ(front.bytes_received(), 0u);
}

TEST_F(TrustTest, AnAuthorityOfAnotherPortIsNotTrusted) {
  const TlsFront front(authority_.issue(), registry_.host());
  write(scratch_ / "containers/certs.d/127.0.0.1:1/ca.crt", authority_.certificate_pem());
  write(scratch_ / "containers/certs.d/127.0.0.1/ca.crt", authority_.certificate_pem());
  const MountedRegfs mount(spec());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(error_of(mount, front), EIO);
}

TEST_F(TrustTest, AnInsecureRegistryWhoseAuthorityIsNamedIsVerified) {
  const TlsFront front(TestAuthority().issue(), registry_.host());
  write(certs_d(front, "ca.crt"), authority_.certificate_pem());
  MountSpec one = spec();
  one.arguments = {"--insecure-registry", front.host()};
  const MountedRegfs mount(one);
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(error_of(mount, front), EIO);
  EXPECT_EQ(front.bytes_received(), 0u);
}

TEST_F(TrustTest, ADirectoryWithHalfAPairOrWithoutACertificateIsNamedAtOnce) {
  const TlsFront front(authority_.issue(), registry_.host());
  const std::string path = certs_d(front, "client.cert");
  write(path, authority_.issue().certificate_pem);
  {
    const MountedRegfs mount(spec());
    REGFS_ASSERT_MOUNTED(mount);
    EXPECT_EQ(error_of(mount, front), EIO);
    EXPECT_TRUE(contains(mount.log(), path + " has no client.key beside it"));
  }
  std::filesystem::remove(path);
  write(certs_d(front, "ca.crt"), "not a certificate");
  const MountedRegfs mount(spec());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(error_of(mount, front), EIO);
  EXPECT_TRUE(contains(mount.log(), "ca.crt holds no certificate in PEM"));
  EXPECT_EQ(front.bytes_received(), 0u);
}

TEST_F(TrustTest, ARegistryThatWantsACertificateIsAnErrorThatSaysSo) {
  const TlsFront front(authority_.issue(), registry_.host(), authority_.certificate_pem());
  write(certs_d(front, "ca.crt"), authority_.certificate_pem());
  const MountedRegfs mount(spec());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(error_of(mount, front), EIO);
  EXPECT_TRUE(contains(mount.log(), "put client.cert and client.key into /etc/docker/certs.d/" + front.host()));
}

TEST_F(TrustTest, AnUnreadableFileOfAuthoritiesIsRefusedAtTheStart) {
  const std::string mountpoint = scratch_ / "mnt";
  ::mkdir(mountpoint.c_str(), 0755);
  const Finished option = run({regfs_program(), "-f", "--ca-cert", scratch_ / "none", mountpoint});
  EXPECT_EQ(option.status, 2);
  EXPECT_TRUE(contains(option.error, "--ca-cert: "));
  const Finished variable = run({"env", "SSL_CERT_FILE=" + (scratch_ / "none"), regfs_program(), "-f", mountpoint});
  EXPECT_EQ(variable.status, 2);
  EXPECT_TRUE(contains(variable.error, "SSL_CERT_FILE: "));
}

TEST_F(TrustTest, AnAuthorityInCertsDIsTrustedBesidesTheSystems) {
  const TlsFront front(authority_.issue(), registry_.host());
  write(certs_d(front, "ca.crt"), authority_.certificate_pem());
  const MountedRegfs mount(spec());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(reads(mount, front));
}

TEST_F(TrustTest, AClientCertificateIsShownToItsRegistry) {
  const TlsFront front(authority_.issue(), registry_.host(), authority_.certificate_pem());
  const ServerIdentity client = authority_.issue();
  write(certs_d(front, "ca.crt"), authority_.certificate_pem());
  write(certs_d(front, "client.cert"), client.certificate_pem);
  write(certs_d(front, "client.key"), client.key_pem);
  const MountedRegfs mount(spec());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(reads(mount, front));
}

TEST_F(TrustTest, AClientCertificateIsNotShownToARedirectsTarget) {
  FakeRegistry other;
  other.push("app", "latest", image_);
  const TlsFront target(authority_.issue(), other.host(), authority_.certificate_pem());
  const TlsFront front(authority_.issue(), registry_.host());
  const ServerIdentity client = authority_.issue();
  for (const TlsFront* each : {&target, &front}) write(certs_d(*each, "ca.crt"), authority_.certificate_pem());
  write(certs_d(target, "client.cert"), client.certificate_pem);
  write(certs_d(target, "client.key"), client.key_pem);
  for (const SampleLayer& layer : image_.layers) {
    const std::string path = FakeRegistry::blob_path("app", layer.digest);
    registry_.redirect_path(path, "https://" + target.host() + path);
  }
  const MountedRegfs mount(spec());
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(read_file(mount / front.host() / "app" / "latest" / "linux-amd64.tar").error, EIO);
  EXPECT_EQ(target.bytes_received(), 0u);
  EXPECT_GT(target.handshakes_begun(), 0u);
}

TEST_F(TrustTest, WhatTheSystemTrustsStaysTrustedBesideCertsD) {
  const TlsFront front(authority_.issue(), registry_.host());
  write(certs_d(front, "ca.crt"), TestAuthority().certificate_pem());
  write(scratch_ / "system.pem", authority_.certificate_pem());
  {
    MountSpec one = spec();
    one.environment.push_back("SSL_CERT_FILE=" + (scratch_ / "system.pem"));
    const MountedRegfs mount(one);
    REGFS_ASSERT_MOUNTED(mount);
    EXPECT_TRUE(reads(mount, front));
  }
  if (run({"openssl", "version"}).status != 0) return;
  ::mkdir((scratch_ / "hashed").c_str(), 0755);
  std::filesystem::copy_file(scratch_ / "system.pem", scratch_ / "hashed/ca.pem");
  ASSERT_EQ(run({"openssl", "rehash", scratch_ / "hashed"}).status, 0);
  MountSpec one = spec();
  one.environment.push_back("SSL_CERT_DIR=" + (scratch_ / "hashed"));
  const MountedRegfs mount(one);
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(reads(mount, front));
}

TEST_F(TrustTest, TheOptionAndTheVariablesAreTrusted) {
  const TlsFront front(authority_.issue(), registry_.host());
  write(scratch_ / "ca.pem", authority_.certificate_pem());
  {
    const MountedRegfs mount({.arguments = {"--ca-cert", scratch_ / "ca.pem"}});
    REGFS_ASSERT_MOUNTED(mount);
    EXPECT_TRUE(reads(mount, front));
  }
  {
    const MountedRegfs mount({.environment = {"SSL_CERT_FILE=" + (scratch_ / "ca.pem")}});
    REGFS_ASSERT_MOUNTED(mount);
    EXPECT_TRUE(reads(mount, front));
  }
  if (run({"openssl", "version"}).status != 0) return;
  ::mkdir((scratch_ / "hashed").c_str(), 0755);
  std::filesystem::copy_file(scratch_ / "ca.pem", scratch_ / "hashed/ca.pem");
  ASSERT_EQ(run({"openssl", "rehash", scratch_ / "hashed"}).status, 0);
  const MountedRegfs mount({.environment = {"SSL_CERT_DIR=" + (scratch_ / "hashed")}});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(reads(mount, front));
}

TEST_F(TrustTest, APasswordGoesThroughTheTlsThatIsTrusted) {
  registry_.require_basic({"ann", "pw"});
  const TlsFront front(authority_.issue(), registry_.host());
  write(certs_d(front, "ca.crt"), authority_.certificate_pem());
  const MountedRegfs mount({.arguments = {"--username", "ann"},
                            .host = front.host(),
                            .environment = {"XDG_CONFIG_HOME=" + scratch_.path(), "REGFS_PASSWORD=pw"}});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(read_file(mount / "app" / "latest" / "linux-amd64.tar").error, 0) << mount.log();
}

}  // namespace
}  // namespace regfs::test::trust_test
