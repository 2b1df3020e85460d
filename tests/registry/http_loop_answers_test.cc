// SPDX-License-Identifier: MIT
// What is sent, what of an answer is handed on, and which connection it takes.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "tests/registry/http_loop_fixture.h"

namespace regfs::registry::http_loop_answers_test {
namespace {

TEST_F(HttpLoopTest, AsksForBytesAsTheyAreStored) {
  Server server(answer("\x1f\x8bzip", "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(ask(get(server.url())), TransportFailure::none);
  EXPECT_EQ(recorder_->body(), "\x1f\x8bzip");
  EXPECT_EQ(server.requests().at(0).headers.at("accept-encoding"), "identity");
}

TEST_F(HttpLoopTest, DecodesWhatARequestAllowsToDecode) {
  const unsigned char zipped[] = {0x1f, 0x8b, 8, 0,    0,    0,    0,    0, 2, 3, 0xab,
                                  0xae, 5,    0, 0x43, 0xbf, 0xa6, 0xa3, 2, 0, 0, 0};
  Server server(
      answer(std::string(reinterpret_cast<const char*>(zipped), sizeof zipped), "Content-Encoding: gzip\r\n"));
  HttpRequest request = get(server.url());
  request.decode_content = true;
  EXPECT_EQ(ask(request), TransportFailure::none);
  EXPECT_EQ(recorder_->body(), "{}");
}

TEST_F(HttpLoopTest, TakesEveryFramingOfABody) {
  for (const char* says :
       {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", "HTTP/1.0 200 OK\r\n\r\nbody",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\nT: x\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"}) {
    Server server(says);
    recorder_ = std::make_shared<Recorder>();
    EXPECT_EQ(ask(get(server.url())), TransportFailure::none) << says;
    EXPECT_EQ(recorder_->body(), "body") << says;
    EXPECT_FALSE(recorder_->head().headers.first("Link")) << says;
  }
}

TEST_F(HttpLoopTest, AsksOnlyForTheHead) {
  Server server("HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nDocker-Content-Digest: x\r\n\r\n", false);
  HttpRequest request = get(server.url());
  request.method = "HEAD";
  EXPECT_EQ(ask(request), TransportFailure::none);
  EXPECT_EQ(recorder_->head().headers.first("docker-content-digest"), "x");
  EXPECT_EQ(server.requests().at(0).method, "HEAD");
}

TEST_F(HttpLoopTest, SendsAUrlAsItIsSpelled) {
  Server server(answer(""));
  EXPECT_EQ(ask(get(server.url("/a%2fb/../c?x=%7E+y"))), TransportFailure::none);
  EXPECT_EQ(server.requests().at(0).path, "/a%2fb/../c");
  EXPECT_EQ(server.requests().at(0).query, "x=%7E+y");
}

TEST_F(HttpLoopTest, NeverSendsALoopbackRequestThroughAProxy) {
  Server server(answer("direct"));
  ASSERT_EQ(::setenv("http_proxy", "http://no-such-proxy.invalid:1", 1), 0);
  TransportFailure failure = ask(get(server.url()));
  ::unsetenv("http_proxy");
  EXPECT_EQ(failure, TransportFailure::none);
  EXPECT_EQ(recorder_->body(), "direct");
}

TEST_F(HttpLoopTest, KeepsAConnectionForTheNextRequest) {
  std::atomic<int> connections = 0;
  const HttpConnection* last = nullptr;
  HttpServer server([&](HttpConnection& client, const HttpServerRequest&) {
    if (&client != last) ++connections;
    last = &client;
    return client.send(answer("x"));
  });
  for (int i = 0; i < 5; ++i) {
    recorder_ = std::make_shared<Recorder>();
    EXPECT_EQ(ask(get("http://127.0.0.1:" + std::to_string(server.port()) + "/")), TransportFailure::none);
  }
  EXPECT_EQ(connections, 1);
}

TEST_F(HttpLoopTest, TakesNothingThatWasLeftOnAConnectionForAnAnswer) {
  constexpr const char* kHonest = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhonest";
  std::latch may_forge(1);
  std::latch forged(1);
  std::atomic<int> requests{0};
  HttpServer server([&](HttpConnection& client, const HttpServerRequest&) {
    const bool is_first = requests++ == 0;
    if (!client.send(kHonest)) return false;
    if (is_first) {
      may_forge.wait();
      client.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
      forged.count_down();
    }
    return true;
  });
  const std::string url = "http://127.0.0.1:" + std::to_string(server.port()) + "/";
  EXPECT_EQ(ask(get(url)), TransportFailure::none);
  may_forge.count_down();
  forged.wait();
  recorder_ = std::make_shared<Recorder>();
  EXPECT_EQ(ask(get(url)), TransportFailure::none);
  EXPECT_EQ(recorder_->body(), "honest");
  EXPECT_EQ(requests, 2);
}

TEST_F(HttpLoopTest, ServesManyRequestsAtOnce) {
  std::string big(300'000, 'x');
  Server server(answer(big), false);
  std::vector<std::shared_ptr<Recorder>> recorders;
  for (int i = 0; i < 40; ++i) {
    recorders.push_back(std::make_shared<Recorder>());
    loop_.start(get(server.url()), recorders.back());
  }
  for (const auto& recorder : recorders) {
    EXPECT_EQ(recorder->wait(), TransportFailure::none);
    EXPECT_EQ(recorder->body(), big);
  }
}

}  // namespace
}  // namespace regfs::registry::http_loop_answers_test
