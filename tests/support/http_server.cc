// SPDX-License-Identifier: MIT
#include "tests/support/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "base/check.h"

namespace regfs::test {
namespace {

constexpr char kTlsHandshake = 0x16;
constexpr size_t kMaxRequestBytes = 256 << 10;

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return text;
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  return std::string(text);
}

// The text up to `separator`, which is taken off as well.
std::string_view take_until(std::string_view& text, char separator) {
  const size_t at = std::min(text.find(separator), text.size());
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return taken;
}

HttpServerRequest parse_head(std::string_view head) {
  HttpServerRequest request;
  std::string_view line = take_until(head, '\n');
  request.method = take_until(line, ' ');
  std::string_view target = take_until(line, ' ');
  request.path = take_until(target, '?');
  request.query = target;
  while (!head.empty()) {
    std::string_view field = take_until(head, '\n');
    std::string name = lower_case(std::string(take_until(field, ':')));
    request.headers.emplace(std::move(name), trimmed(field));
  }
  return request;
}

size_t content_length(const HttpServerRequest& request) {
  const auto field = request.headers.find("content-length");
  size_t length = 0;
  if (field != request.headers.end()) {
    std::from_chars(field->second.data(), field->second.data() + field->second.size(), length);
  }
  return std::min(length, kMaxRequestBytes);
}

UniqueFd listening_socket(const std::string& on_address, uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, on_address.c_str(), &address.sin_addr);
  REGFS_CHECK(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
                  ::listen(fd.get(), 512) == 0,
              "the tests' server cannot listen");
  return fd;
}

uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

}  // namespace

std::optional<HttpServerRequest> HttpConnection::read_request() {
  constexpr std::string_view kEndOfHead = "\r\n\r\n";
  std::array<char, 16 << 10> piece;
  while (true) {
    if (!received_.empty() && received_.front() == kTlsHandshake) {
      refuse_tls();
      return std::nullopt;
    }
    if (const size_t end = received_.find(kEndOfHead); end != std::string::npos) {
      HttpServerRequest request = parse_head(std::string_view(received_).substr(0, end + 2));
      const size_t body_bytes = content_length(request);
      if (received_.size() >= end + kEndOfHead.size() + body_bytes) {
        request.body = received_.substr(end + kEndOfHead.size(), body_bytes);
        received_.erase(0, end + kEndOfHead.size() + body_bytes);
        return request;
      }
    }
    const ssize_t count = ::recv(fd_, piece.data(), piece.size(), 0);
    if (count <= 0 || received_.size() > kMaxRequestBytes) return std::nullopt;
    received_.append(piece.data(), static_cast<size_t>(count));
  }
}

bool HttpConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

void HttpConnection::end_with_reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

void HttpConnection::refuse_tls() {
  send("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nThis port speaks no TLS.\n");
  ::shutdown(fd_, SHUT_WR);
  // Closing with unread bytes would send RST, which may overtake the answer.
  std::array<char, 4096> rest;
  while (::recv(fd_, rest.data(), rest.size(), 0) > 0) {
  }
}

HttpServer::HttpServer(Serve serve, std::string address) : serve_(std::move(serve)), address_(std::move(address)) {
  start();
}

HttpServer::~HttpServer() {
  stop();
}

void HttpServer::start() {
  REGFS_CHECK(!acceptor_.joinable(), "start() of a server that runs");
  listener_ = listening_socket(address_, port_);
  port_ = port_of(listener_.get());
  acceptor_ = std::thread([this, fd = listener_.get()] { accept_clients(fd); });
}

void HttpServer::stop() {
  if (!acceptor_.joinable()) return;
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  listener_.reset();
  std::list<Connection> ending;
  {
    MutexLock lock(mutex_);
    for (Connection& connection : connections_) ::shutdown(connection.fd.get(), SHUT_RDWR);
    ending.swap(connections_);
  }
  for (Connection& connection : ending) connection.thread.join();
}

void HttpServer::accept_clients(int listener) {
  while (true) {
    UniqueFd client(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (!client.ok()) return;
    const int on = 1;
    ::setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    join_ended_connections();
    MutexLock lock(mutex_);
    Connection& connection = connections_.emplace_back();
    connection.fd = std::move(client);
    connection.thread = std::thread([this, &connection] { serve_client(connection); });
  }
}

void HttpServer::serve_client(Connection& connection) {
  HttpConnection client(connection.fd.get());
  while (const auto request = client.read_request()) {
    if (!serve_(client, *request)) break;
  }
  MutexLock lock(mutex_);  // stop() shuts down what is open
  connection.fd.reset();
  connection.ended = true;
}

void HttpServer::join_ended_connections() {
  std::list<Connection> ended;
  {
    MutexLock lock(mutex_);
    for (auto each = connections_.begin(); each != connections_.end();) {
      const auto next = std::next(each);
      if (each->ended) ended.splice(ended.end(), connections_, each);
      each = next;
    }
  }
  for (Connection& connection : ended) connection.thread.join();
}

}  // namespace regfs::test
