// SPDX-License-Identifier: MIT
// How requests fail and end.
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

namespace regfs::registry::http_loop_test {
namespace {

TEST_F(HttpLoopTest, CallsAClosedPortRefused) {
  std::string url;
  {
    Server server("");
    url = server.url();
  }
  EXPECT_EQ(ask(get(url)), TransportFailure::refused);
}

TEST_F(HttpLoopTest, CallsANameThatDoesNotExistUnresolved) {
  EXPECT_EQ(ask(get("http://no-such-host.invalid/")), TransportFailure::unresolved);
}

TEST_F(HttpLoopTest, CallsAPlainPortNotTls) {
  Server server(answer(""));
  EXPECT_EQ(ask(get(server.url("/", "https"))), TransportFailure::not_tls);
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(HttpLoopTest, CallsAPortThatHangsUpInTheHandshakeBrokenAndNotPlain) {
  UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(::listen(listener.get(), 4), 0);
  ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  std::thread hanging_up([&] { UniqueFd client(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)); });
  EXPECT_EQ(ask(get("https://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/")), TransportFailure::broken);
  hanging_up.join();
}

TEST_F(HttpLoopTest, EndsAServerThatSaysNothing) {
  Server server("", false);
  EXPECT_EQ(ask(get(server.url())), TransportFailure::timed_out);
}

TEST_F(HttpLoopTest, EndsABodyThatStalls) {
  Server server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", false);
  EXPECT_EQ(ask(get(server.url())), TransportFailure::timed_out);
  EXPECT_EQ(recorder_->body(), "half");
}

TEST_F(HttpLoopTest, CallsABodyThatIsShorterThanFramedBroken) {
  Server server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  EXPECT_EQ(ask(get(server.url())), TransportFailure::broken);
  Server chunked("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
  recorder_ = std::make_shared<Recorder>();
  EXPECT_EQ(ask(get(chunked.url())), TransportFailure::broken);
}

TEST_F(HttpLoopTest, CallsWhatIsNoHttpBroken) {
  for (const char* says : {"SSH-2.0-OpenSSH_9.2\r\n", "<html>", "", "\r\n\r\n"}) {
    Server server(says);
    recorder_ = std::make_shared<Recorder>();
    EXPECT_EQ(ask(get(server.url())), TransportFailure::broken) << says;
  }
}

TEST_F(HttpLoopTest, CallsAnAnswerOfTwoLengthsBroken) {
  for (const char* lengths :
       {"Content-Length: 4\r\nContent-Length: 2\r\n", "Content-Length: 2\r\ncontent-length: 4\r\n"}) {
    Server server("HTTP/1.1 200 OK\r\n" + std::string(lengths) + "\r\nbody");
    recorder_ = std::make_shared<Recorder>();
    EXPECT_EQ(ask(get(server.url())), TransportFailure::broken) << lengths;
    EXPECT_EQ(recorder_->head().status, 0);
  }
  Server server("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nbody");
  recorder_ = std::make_shared<Recorder>();
  EXPECT_EQ(ask(get(server.url())), TransportFailure::none);
}

TEST_F(HttpLoopTest, BoundsTheHeadersOfAnAnswer) {
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 300; ++i) many += "X: " + std::string(1000, 'x') + "\r\n";
  Server server(many + "\r\n");
  EXPECT_EQ(ask(get(server.url())), TransportFailure::broken);
  EXPECT_EQ(recorder_->head().status, 0);
}

TEST_F(HttpLoopTest, BoundsAFloodOfInterimAnswers) {
  std::string flood;
  for (int i = 0; i < 20'000; ++i) flood += "HTTP/1.1 103 Early Hints\r\n\r\n";
  Server server(flood);
  EXPECT_EQ(ask(get(server.url())), TransportFailure::broken);
}

TEST_F(HttpLoopTest, RefusesToSendControlCharacters) {
  Server server(answer(""));
  HttpRequest request = get(server.url());
  request.headers.add("Authorization", "Bearer x\r\nX-Evil: 1");
  EXPECT_EQ(ask(request), TransportFailure::broken);
  recorder_ = std::make_shared<Recorder>();
  EXPECT_EQ(ask(get(server.url("/a\r\nX-Evil: 1"))), TransportFailure::broken);
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(HttpLoopTest, SpeaksNothingButHttp) {
  for (const char* url : {"file:///etc/hostname", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "127.0.0.1"}) {
    recorder_ = std::make_shared<Recorder>();
    EXPECT_EQ(ask(get(url)), TransportFailure::broken) << url;
    EXPECT_EQ(recorder_->body(), "");
  }
}

TEST_F(HttpLoopTest, ShowsNoQueryInItsErrors) {
  EXPECT_EQ(ask(get("http://no-such-host.invalid/x?sig=secret")), TransportFailure::unresolved);
  EXPECT_EQ(recorder_->words().find("secret"), std::string::npos);
}

TEST_F(HttpLoopTest, FollowsNoRedirect) {
  Server server("HTTP/1.1 307 Temporary Redirect\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(ask(get(server.url())), TransportFailure::none);
  EXPECT_EQ(recorder_->head().status, 307);
  EXPECT_EQ(recorder_->head().headers.first("location"), "/other");
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(HttpLoopTest, StopsWhenTheHandlerHasEnough) {
  Server server(answer(std::string(1 << 20, 'x')));
  recorder_->stop_after = 1;
  EXPECT_EQ(ask(get(server.url())), TransportFailure::stopped);
  recorder_ = std::make_shared<Recorder>();
  recorder_->stop_at_head = true;
  EXPECT_EQ(ask(get(server.url())), TransportFailure::stopped);
  EXPECT_EQ(recorder_->body(), "");
}

TEST_F(HttpLoopTest, EndsACancelledRequest) {
  Server server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", false);
  HttpRequest request = get(server.url());
  request.stall_timeout = 1h;
  Transport::RequestId id = loop_.start(request, recorder_);
  recorder_->wait_for_bytes(4);
  loop_.cancel(id);
  EXPECT_EQ(recorder_->wait(), TransportFailure::cancelled);
  loop_.cancel(id);
}

TEST_F(HttpLoopTest, EndsEverythingWhenItStops) {
  Server server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", false);
  std::vector<std::shared_ptr<Recorder>> recorders;
  for (int i = 0; i < 20; ++i) {
    recorders.push_back(std::make_shared<Recorder>());
    loop_.start(get(server.url()), recorders.back());
  }
  loop_.stop();
  for (const auto& recorder : recorders) EXPECT_EQ(recorder->wait(), TransportFailure::cancelled);
  EXPECT_EQ(ask(get(server.url())), TransportFailure::cancelled);
}

}  // namespace
}  // namespace regfs::registry::http_loop_test
