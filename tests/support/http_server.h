// SPDX-License-Identifier: MIT
// HTTP/1.1 on a port of this machine, by hand, so that a test can break every part of it: a server that
// accepts, and the connection that reads requests and writes whatever it is told to.
//
// One thread accepts, one serves each connection. A client that begins with TLS gets a plain 400 and is
// closed, as servers that do not speak TLS do.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/mutex.h"
#include "base/unique_fd.h"

namespace regfs::test {

struct HttpServerRequest {
  std::string method;
  std::string path;                            // without the query, as it was sent
  std::string query;                           // behind '?', may be empty
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body = {};                       // of Content-Length
};

// One client. Only the thread that serves it uses it.
class HttpConnection {
 public:
  explicit HttpConnection(int fd) : fd_(fd) {}

  // The next request of a kept-alive connection; nullopt when the client is gone or spoke no HTTP.
  std::optional<HttpServerRequest> read_request();
  // Whether all of it was handed to the kernel. Waits while the client does not read.
  bool send(std::string_view bytes);
  // When the connection ends, it ends with RST: what is under way is lost.
  void end_with_reset();

 private:
  void refuse_tls();

  const int fd_;
  std::string received_;
};

class HttpServer {
 public:
  // `serve` handles one request; false ends its connection. Runs on the connection's thread.
  using Serve = std::function<bool(HttpConnection&, const HttpServerRequest&)>;
  // `address` is one of this machine.
  explicit HttpServer(Serve serve, std::string address = "127.0.0.1");
  ~HttpServer();  // stop(), and waits for every thread
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  uint16_t port() const { return port_; }

  // Closes the port and every connection: who connects now is refused. Not from a serving thread.
  void stop();
  // Opens the same port again.
  void start();

 private:
  struct Connection {  // its fields are the mutex's too
    UniqueFd fd;
    std::thread thread;
    bool ended = false;
  };
  void accept_clients(int listener);
  void serve_client(Connection& connection);
  void join_ended_connections();

  const Serve serve_;
  const std::string address_;
  uint16_t port_ = 0;
  UniqueFd listener_;
  std::thread acceptor_;
  Mutex mutex_;
  std::list<Connection> connections_ REGFS_GUARDED_BY(mutex_);
};

}  // namespace regfs::test
