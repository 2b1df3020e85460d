// SPDX-License-Identifier: MIT
// The real docker-registry behind a login: with a file of passwords over TLS, and with tokens that a service of
// ours signs as its documentation says.
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "tests/mount/mount_fixture.h"
#include "tests/support/certificates.h"
#include "tests/support/http_server.h"

namespace regfs::test::real_registry_test {
namespace {

constexpr std::chrono::seconds kRegistryBegins{20};
const std::string kPassword = "hunter2-is-secret";
// bcrypt of it: docker-registry takes no other.
const std::string kPasswords = "ann:$2y$05$abcdefghijklmnopqrstuulgIDmuT0WuprQt/YPkxHK8OoiL4XjLy\n";
const std::string kAnnByBasic = "Basic YW5uOmh1bnRlcjItaXMtc2VjcmV0";

std::string base64url(const std::string& bytes) {
  static constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  unsigned value = 0;
  int bits = 0;
  for (const char byte : bytes) {
    value = value << 8 | static_cast<unsigned char>(byte);
    for (bits += 8; bits >= 6; bits -= 6) text += kLetters[value >> (bits - 6) & 63];
  }
  if (bits > 0) text += kLetters[value << (6 - bits) & 63];
  return text;
}

class RealRegistryTest : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (IsSkipped()) return;
    if (run({"docker-registry", "--version"}).status != 0) GTEST_SKIP() << "docker-registry is not installed";
    if (run({"openssl", "version"}).status != 0) GTEST_SKIP() << "openssl is not installed";
    start("");
    const Finished pushed =
        run({"bash", REGFS_SOURCE_DIR "/scripts/sample-image.sh", "http://" + host_, "demo/hello", "1.0"});
    ASSERT_EQ(pushed.status, 0) << pushed.error;
  }

  void write(const std::string& name, const std::string& text) const {
    const std::string path = scratch_ / name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
  }
  // A registry on a port that it chooses itself, on the same storage as the last one.
  void start(const std::string& more, const std::string& tls = "") {
    process_.reset();
    write("registry.yml", "version: 0.1\nlog: {level: info}\nstorage: {filesystem: {rootdirectory: " +
                              (scratch_ / "storage") + "}}\nhttp: {addr: \"127.0.0.1:0\"" + tls + "}\n" + more);
    process_ =
        std::make_unique<ChildProcess>(std::vector<std::string>{"docker-registry", "serve", scratch_ / "registry.yml"},
                                       ChildProcess::Output{.error = scratch_ / "registry.log"});
    host_.clear();
    ASSERT_TRUE(eventually(kRegistryBegins, [&] { return !listening_host().empty(); }))
        << text_file(scratch_ / "registry.log");
    host_ = listening_host();
  }
  // From "listening on 127.0.0.1:PORT, tls".
  std::string listening_host() const {
    const std::string log = text_file(scratch_ / "registry.log");
    const size_t at = log.find("listening on 127.0.0.1:");
    if (at == std::string::npos) return {};
    const std::string port = log.substr(at + 23, log.find_first_not_of("0123456789", at + 23) - at - 23);
    return "127.0.0.1:" + port;
  }

  // To the end, every layer verified on the way.
  void expect_readable(const MountSpec& spec) const {
    const MountedRegfs mount(spec);
    REGFS_ASSERT_MOUNTED(mount);
    EXPECT_EQ(list_directory(mount / host_ / "demo/hello").names, std::vector<std::string>{"1.0"}) << mount.log();
    const std::string tar = mount / host_ / "demo/hello" / "1.0" / "linux-amd64.tar";
    const ReadOutcome got = read_file(tar);
    EXPECT_EQ(got.error, 0) << mount.log();
    const std::optional<struct stat> status = stat_of(tar);
    ASSERT_TRUE(status.has_value()) << mount.log();
    EXPECT_EQ(static_cast<uint64_t>(status->st_size), got.bytes.size());
    EXPECT_EQ(mount.log().find(kPassword), std::string::npos);
  }
  void expect_refused(const MountSpec& spec) const {
    const MountedRegfs mount(spec);
    REGFS_ASSERT_MOUNTED(mount);
    EXPECT_EQ(list_directory(mount / host_ / "demo/hello").error, EACCES) << mount.log();
    EXPECT_TRUE(contains(mount.log(), "401"));
  }
  MountSpec spec() const {
    return {.environment = {"XDG_CONFIG_HOME=" + scratch_.path(), "DOCKER_CONFIG=" + scratch_.path()}};
  }
  void log_in(const std::string& base64) const {
    write("config.json", R"({"auths": {")" + host_ + R"(": {"auth": ")" + base64 + R"("}}})");
  }

  const TempDir scratch_;
  std::string host_;
  std::unique_ptr<ChildProcess> process_;
};

TEST_F(RealRegistryTest, WithPasswordsOverTlsOfItsOwnAuthority) {
  const TestAuthority authority;
  const ServerIdentity identity = authority.issue();
  write("tls.crt", identity.certificate_pem);
  write("tls.key", identity.key_pem);
  write("htpasswd", kPasswords);
  start("auth: {htpasswd: {realm: test, path: " + (scratch_ / "htpasswd") + "}}\n",
        ", tls: {certificate: " + (scratch_ / "tls.crt") + ", key: " + (scratch_ / "tls.key") + "}");
  {
    const MountedRegfs untrusting(spec());
    REGFS_ASSERT_MOUNTED(untrusting);
    EXPECT_EQ(list_directory(untrusting / host_ / "demo/hello").error, EIO);
  }
  write("containers/certs.d/" + host_ + "/ca.crt", authority.certificate_pem());
  expect_refused(spec());
  log_in("YW5uOndyb25n");
  expect_refused(spec());
  log_in("YW5uOmh1bnRlcjItaXMtc2VjcmV0");
  expect_readable(spec());
}

// Signs what docker-registry documents as the token specification: a JWT by RS256, with the signer's certificate
// in its header.
class TokenService {
 public:
  TokenService(const TempDir& scratch, const std::string& login)
      : scratch_(scratch),
        login_(login),
        server_([this](HttpConnection& client, const HttpServerRequest& request) { return serve(client, request); }) {}

  std::string realm() const { return "http://127.0.0.1:" + std::to_string(server_.port()) + "/token"; }
  // The file of the certificate that the registry is to trust; empty: it could not be made.
  std::string make_certificate() const {
    const std::string certificate = scratch_ / "token.crt";
    const Finished made = run({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=token",
                               "-days", "2", "-keyout", scratch_ / "token.key", "-out", certificate});
    return made.status == 0 ? certificate : "";
  }
  int asked() const { return asked_; }

 private:
  bool serve(HttpConnection& client, const HttpServerRequest& request) {
    ++asked_;
    const auto authorization = request.headers.find("authorization");
    if (authorization == request.headers.end() || authorization->second != login_) {
      return client.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
    }
    const std::string body = "{\"token\": \"" + token() + "\", \"expires_in\": 300}";
    return client.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                       std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  std::string token() const {
    std::string der = text_file(scratch_ / "token.crt");
    der = der.substr(der.find('\n') + 1);
    der = der.substr(0, der.find("-----END"));
    std::erase(der, '\n');
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
    const std::string header = R"({"typ":"JWT","alg":"RS256","x5c":[")" + der + R"("]})";
    const std::string claims = R"({"iss":"tester","sub":"ann","aud":"test","exp":)" +
                               std::to_string(now.count() + 300) + R"(,"nbf":)" + std::to_string(now.count() - 60) +
                               R"(,"iat":)" + std::to_string(now.count()) +
                               R"(,"jti":"1","access":[{"type":"repository","name":"demo/hello","actions":["pull"]}]})";
    const std::string signed_text = base64url(header) + "." + base64url(claims);
    const std::string unsigned_file = scratch_ / ("jwt-" + std::to_string(asked_));
    std::ofstream(unsigned_file) << signed_text;
    run({"openssl", "dgst", "-sha256", "-sign", scratch_ / "token.key", "-out", unsigned_file + ".sig", unsigned_file});
    return signed_text + "." + base64url(text_file(unsigned_file + ".sig"));
  }

  const TempDir& scratch_;
  const std::string login_;
  std::atomic<int> asked_{0};
  HttpServer server_;  // last: its threads use all of the above
};

TEST_F(RealRegistryTest, WithTokensThatAServiceSigns) {
  const TokenService service(scratch_, kAnnByBasic);
  const std::string certificate = service.make_certificate();
  ASSERT_NE(certificate, "");
  start("auth: {token: {realm: \"" + service.realm() +
        "\", service: test, issuer: tester, rootcertbundle: " + certificate + "}}\n");
  expect_refused(spec());
  log_in("YW5uOndyb25n");
  expect_refused(spec());
  log_in("YW5uOmh1bnRlcjItaXMtc2VjcmV0");
  const int before = service.asked();
  expect_readable(spec());
  // Its repository, and the one above it that may be a repository too.
  EXPECT_LE(service.asked() - before, 4);
  EXPECT_GT(service.asked(), before);
}

}  // namespace
}  // namespace regfs::test::real_registry_test
