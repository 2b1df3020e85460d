// SPDX-License-Identifier: MIT
// TLS in front of a plain server on loopback: what a client says behind its handshake is handed on, and counted. A
// client that begins with anything but a handshake is counted and dropped. May be asked from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "base/mutex.h"
#include "base/unique_fd.h"
#include "tests/support/certificates.h"

namespace regfs::test {

class TlsFront {
 public:
  // `backend_host` is "127.0.0.1:PORT". With `client_authority`, a PEM, clients must show a certificate of it.
  TlsFront(const ServerIdentity& identity, const std::string& backend_host, const std::string& client_authority = "");
  ~TlsFront();  // ends every connection
  TlsFront(const TlsFront&) = delete;
  TlsFront& operator=(const TlsFront&) = delete;

  std::string host() const;  // "127.0.0.1:PORT"

  size_t handshakes_begun() const { return handshakes_begun_; }
  size_t plain_clients() const { return plain_clients_; }
  uint64_t bytes_received() const { return bytes_received_; }  // of what clients said inside of TLS

 private:
  struct Context;
  struct Connection {  // its fields are the mutex's too
    UniqueFd client;
    UniqueFd backend;
    std::thread thread;
  };
  void accept_clients();
  void serve(int client, int backend);
  bool begins_with_handshake(int client);

  const std::unique_ptr<Context> context_;
  const uint16_t backend_port_;
  std::atomic<size_t> handshakes_begun_{0};
  std::atomic<size_t> plain_clients_{0};
  std::atomic<uint64_t> bytes_received_{0};
  UniqueFd listener_;
  uint16_t port_ = 0;
  Mutex mutex_;
  std::list<Connection> connections_ REGFS_GUARDED_BY(mutex_);
  std::thread acceptor_;
};

}  // namespace regfs::test
