// SPDX-License-Identifier: MIT
// The tests' registry is proved before anything is proved with it: over a raw socket, so that no client
// library smooths anything.
#include "tests/support/fake_registry.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/unique_fd.h"

namespace regfs::test::fake_registry_test {
namespace {

struct RawAnswer {
  std::string head;
  std::string body;
  bool ended = false;  // the connection, before the body was whole
  int error = 0;       // errno of the read that ended it
};

class RawClient {
 public:
  explicit RawClient(const FakeRegistry& registry) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const std::string host = registry.host();
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(std::stoul(host.substr(host.find(':') + 1))));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      connect_error_ = errno;
    }
  }

  int connect_error() const { return connect_error_; }

  void send(const std::string& bytes) const { ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }

  RawAnswer ask(const std::string& method, const std::string& target, const std::string& fields = "") {
    send(method + " " + target + " HTTP/1.1\r\nHost: test\r\n" + fields + "\r\n");
    return receive(method != "HEAD");
  }

  RawAnswer receive(bool with_body = true) {
    RawAnswer answer;
    while (!answer.ended && received_.find("\r\n\r\n") == std::string::npos) fill(answer);
    const size_t head_end = std::min(received_.find("\r\n\r\n"), received_.size());
    answer.head = received_.substr(0, head_end);
    received_.erase(0, head_end + 4);
    const size_t field = answer.head.find("Content-Length: ");
    const size_t length = with_body && field != std::string::npos ? std::stoul(answer.head.substr(field + 16)) : 0;
    while (!answer.ended && received_.size() < length) fill(answer);
    answer.body = received_.substr(0, length);
    received_.erase(0, length);
    return answer;
  }

 private:
  void fill(RawAnswer& answer) {
    char piece[65536];
    const ssize_t count = ::recv(socket_.get(), piece, sizeof(piece), 0);
    if (count < 0) answer.error = errno;
    if (count <= 0) answer.ended = true;
    if (count > 0) received_.append(piece, static_cast<size_t>(count));
  }

  UniqueFd socket_;
  int connect_error_ = 0;
  std::string received_;
};

constexpr std::chrono::seconds kSoon{10};

bool has_status(const RawAnswer& answer, int status) {
  return answer.head.starts_with("HTTP/1.1 " + std::to_string(status) + " ");
}

bool has_field(const RawAnswer& answer, const std::string& field) {
  return (answer.head + "\r\n").find("\r\n" + field + "\r\n") != std::string::npos;
}

class FakeRegistryTest : public testing::Test {
 protected:
  FakeRegistryTest() { registry_.push("app", "latest", image_); }

  const SampleLayer layer_ = seeded_layer(7, 1'000'000);
  const SampleImage image_ = make_image({.layers = {layer_}});
  const std::string path_ = FakeRegistry::blob_path("app", layer_.digest);
  FakeRegistry registry_;
};

TEST_F(FakeRegistryTest, AnswersUnknownThingsWithTheErrorsOfTheProtocol) {
  RawClient client(registry_);
  const RawAnswer tag = client.ask("GET", "/v2/app/manifests/nothing");
  EXPECT_TRUE(has_status(tag, 404));
  EXPECT_NE(tag.body.find("MANIFEST_UNKNOWN"), std::string::npos);
  EXPECT_TRUE(has_status(client.ask("GET", "/v2/nothing/tags/list"), 404));
  EXPECT_TRUE(has_status(client.ask("GET", "/v2/app/blobs/" + image_.digest.str()), 404));
  EXPECT_TRUE(has_status(client.ask("DELETE", path_), 405));
}

TEST_F(FakeRegistryTest, TellsATlsClientPlainlyThatItSpeaksNone) {
  RawClient client(registry_);
  client.send(std::string("\x16\x03\x01\x00\x05hello", 10));
  EXPECT_TRUE(has_status(client.receive(), 400));
  EXPECT_TRUE(registry_.journal().entries().empty());
}

TEST_F(FakeRegistryTest, ServesManifestsByTagAndByDigestOverOneConnection) {
  RawClient client(registry_);
  const RawAnswer head = client.ask("HEAD", "/v2/app/manifests/latest");
  EXPECT_TRUE(has_field(head, "Docker-Content-Digest: " + image_.digest.str()));
  EXPECT_TRUE(has_field(head, "Content-Type: application/vnd.oci.image.manifest.v1+json"));
  EXPECT_EQ(client.ask("GET", "/v2/app/manifests/latest").body, image_.manifest);
  EXPECT_EQ(client.ask("GET", "/v2/app/manifests/" + image_.digest.str()).body, image_.manifest);
  EXPECT_EQ(client.ask("GET", FakeRegistry::blob_path("app", image_.config_digest)).body, image_.config);
}

TEST_F(FakeRegistryTest, ServesRangesAndWritesThemDown) {
  RawClient client(registry_);
  const RawAnswer part = client.ask("GET", path_, "Range: bytes=1000-1999\r\n");
  EXPECT_TRUE(has_status(part, 206));
  EXPECT_TRUE(has_field(part, "Content-Range: bytes 1000-1999/1000000"));
  EXPECT_EQ(part.body, bytes_of(*layer_.content, 1000, 1000));
  EXPECT_EQ(client.ask("GET", path_, "Range: bytes=999000-\r\n").body, bytes_of(*layer_.content, 999'000, 1000));
  EXPECT_TRUE(has_status(client.ask("GET", path_, "Range: bytes=1000000-\r\n"), 416));
  EXPECT_EQ(client.ask("GET", path_).body, bytes_of(*layer_.content));

  const std::vector<ByteSpan> spans = registry_.journal().spans_of(path_);
  EXPECT_EQ(spans, (std::vector<ByteSpan>{{1000, 2000}, {999'000, 1'000'000}, {0, 1'000'000}}));
  const JournalEntry first = registry_.journal().entries().front();
  EXPECT_EQ(first.range, "bytes=1000-1999");
  EXPECT_EQ(first.sent_bytes, 1000u);
}

TEST_F(FakeRegistryTest, ListsTagsInPagesThatLinkToEachOther) {
  registry_.list_names("many", {"a", "b", "c", "d", "e"});
  registry_.set_page_size(2);
  RawClient client(registry_);
  const RawAnswer first = client.ask("GET", "/v2/many/tags/list");
  EXPECT_EQ(first.body, R"({"name":"many","tags":["a","b"]})");
  EXPECT_TRUE(has_field(first, R"(Link: </v2/many/tags/list?last=b&n=2>; rel="next")"));
  const RawAnswer last = client.ask("GET", "/v2/many/tags/list?last=d&n=2");
  EXPECT_EQ(last.body, R"({"name":"many","tags":["e"]})");
  EXPECT_EQ(last.head.find("Link:"), std::string::npos);
  registry_.set_absolute_links(true);
  EXPECT_NE(client.ask("GET", "/v2/many/tags/list").head.find("Link: <http://127.0.0.1:"), std::string::npos);
}

TEST_F(FakeRegistryTest, HoldsAnAnswerUntilMended) {
  registry_.break_path("/v2/app/*", holds());
  RawClient client(registry_);
  client.send("GET /v2/app/manifests/latest HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(registry_.wait_until_waiting(1, kSoon));
  EXPECT_EQ(registry_.journal().entries().front().status, 0);
  registry_.mend("/v2/app/*");
  EXPECT_EQ(client.receive().body, image_.manifest);
}

TEST_F(FakeRegistryTest, StallsAtAByteOfTheBlobUntilMended) {
  registry_.break_path(path_, stalls_at(300'000));
  RawClient client(registry_);
  client.send("GET " + path_ + " HTTP/1.1\r\nRange: bytes=100000-\r\n\r\n");
  ASSERT_TRUE(registry_.wait_until_waiting(1, kSoon));
  EXPECT_EQ(registry_.journal().entries().front().sent_bytes, 200'000u);
  registry_.mend(path_);
  EXPECT_EQ(client.receive().body, bytes_of(*layer_.content, 100'000, 900'000));
  EXPECT_EQ(registry_.waiting(), 0u);
}

TEST_F(FakeRegistryTest, BreaksOffWithResetOrEndAsAsked) {
  registry_.break_path(path_, resets_at(300'000));
  const RawAnswer reset = RawClient(registry_).ask("GET", path_);
  EXPECT_TRUE(reset.ended);
  EXPECT_EQ(reset.error, ECONNRESET);
  registry_.break_path(path_, hangs_up_at(300'000));
  const RawAnswer hung_up = RawClient(registry_).ask("GET", path_);
  EXPECT_TRUE(hung_up.ended);
  EXPECT_EQ(hung_up.error, 0);
  EXPECT_EQ(hung_up.body.size(), 300'000u);
}

TEST_F(FakeRegistryTest, BreaksOneByteOrTheLengthOrTheWholeAnswer) {
  RawClient client(registry_);
  registry_.break_path(path_, flips_byte_at(500'000));
  std::string wrong = client.ask("GET", path_).body;
  ASSERT_EQ(wrong.size(), 1'000'000u);
  wrong[500'000] ^= 1;
  EXPECT_TRUE(wrong == bytes_of(*layer_.content));
  registry_.break_path(path_, cuts_at(10));
  EXPECT_EQ(client.ask("GET", path_).body.size(), 10u);
  registry_.break_path(path_, answers_html());
  EXPECT_TRUE(has_field(client.ask("GET", path_), "Content-Type: text/html; charset=utf-8"));
  registry_.break_path(path_, ignores_range());
  EXPECT_TRUE(has_status(client.ask("GET", path_, "Range: bytes=10-19\r\n"), 200));
}

TEST_F(FakeRegistryTest, AnswersWithAStatusForSoManyRequests) {
  registry_.break_path(path_, answers(429, "2").only(2));
  RawClient client(registry_);
  EXPECT_TRUE(has_field(client.ask("GET", path_), "Retry-After: 2"));
  EXPECT_TRUE(has_status(client.ask("GET", path_), 429));
  EXPECT_TRUE(has_status(client.ask("GET", path_), 200));
}

TEST_F(FakeRegistryTest, RefusesConnectionsAndComesBackOnTheSamePort) {
  const std::string host = registry_.host();
  registry_.break_path(path_, stalls_at(0));
  RawClient stalled(registry_);
  stalled.send("GET " + path_ + " HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(registry_.wait_until_waiting(1, kSoon));
  registry_.refuse_connections();
  EXPECT_TRUE(stalled.receive().ended);
  EXPECT_EQ(RawClient(registry_).connect_error(), ECONNREFUSED);
  registry_.accept_connections();
  EXPECT_EQ(registry_.host(), host);
  EXPECT_TRUE(has_status(RawClient(registry_).ask("GET", "/v2/"), 200));
}

TEST_F(FakeRegistryTest, GivesATokenForAScopeAndNothingWithoutOne) {
  registry_.require_token();
  RawClient client(registry_);
  const RawAnswer refused = client.ask("GET", "/v2/app/tags/list");
  EXPECT_TRUE(has_status(refused, 401));
  EXPECT_NE(refused.head.find("scope=\"repository:app:pull\""), std::string::npos);
  EXPECT_EQ(client.ask("GET", "/token?service=fake&scope=repository%3Aapp%3Apull").body,
            R"({"token":"token-for-repository-app-pull","expires_in":300})");
  const std::string token = "Authorization: Bearer token-for-repository-app-pull\r\n";
  EXPECT_TRUE(has_status(client.ask("GET", "/v2/app/tags/list", token), 200));
  EXPECT_TRUE(has_status(client.ask("GET", "/v2/other/tags/list", token), 401));
}

TEST_F(FakeRegistryTest, SendsBlobsToAnotherHost) {
  registry_.redirect_blobs_to("127.0.0.1:1");
  RawClient client(registry_);
  const RawAnswer answer = client.ask("GET", path_);
  EXPECT_TRUE(has_status(answer, 307));
  EXPECT_TRUE(has_field(answer, "Location: http://127.0.0.1:1" + path_));
}

}  // namespace
}  // namespace regfs::test::fake_registry_test
