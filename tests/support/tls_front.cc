// SPDX-License-Identifier: MIT
#include "tests/support/tls_front.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <array>

#include "base/check.h"

namespace regfs::test {
namespace {

constexpr unsigned char kHandshakeRecord = 0x16;

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

UniqueFd stream_socket() {
  return UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

UniqueFd connected_to(uint16_t port) {
  UniqueFd fd = stream_socket();
  const sockaddr_in address = loopback(port);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) fd.reset();
  return fd;
}

bool send_all(int fd, const char* bytes, size_t length) {
  while (length > 0) {
    const ssize_t count = ::send(fd, bytes, length, MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes += count;
    length -= static_cast<size_t>(count);
  }
  return true;
}

struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

}  // namespace

struct TlsFront::Context {
  Context(const ServerIdentity& identity, const std::string& client_authority)
      : context(SSL_CTX_new(TLS_server_method())) {
    if (!client_authority.empty()) ask_for_certificates(client_authority);
    BIO* const certificate_text = BIO_new_mem_buf(identity.certificate_pem.data(), -1);
    BIO* const key_text = BIO_new_mem_buf(identity.key_pem.data(), -1);
    X509* const certificate = PEM_read_bio_X509(certificate_text, nullptr, nullptr, nullptr);
    EVP_PKEY* const key = PEM_read_bio_PrivateKey(key_text, nullptr, nullptr, nullptr);
    REGFS_CHECK(SSL_CTX_use_certificate(context, certificate) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1,
                "OpenSSL does not take the identity");
    EVP_PKEY_free(key);
    X509_free(certificate);
    BIO_free(key_text);
    BIO_free(certificate_text);
  }
  ~Context() { SSL_CTX_free(context); }
  void ask_for_certificates(const std::string& authority_pem) {
    BIO* const text = BIO_new_mem_buf(authority_pem.data(), -1);
    X509* const authority = PEM_read_bio_X509(text, nullptr, nullptr, nullptr);
    REGFS_CHECK(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority) == 1,
                "OpenSSL does not take the authority");
    X509_free(authority);
    BIO_free(text);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  SSL_CTX* const context;
};

TlsFront::TlsFront(const ServerIdentity& identity, const std::string& backend_host, const std::string& client_authority)
    : context_(std::make_unique<Context>(identity, client_authority)),
      backend_port_(static_cast<uint16_t>(std::stoul(backend_host.substr(backend_host.rfind(':') + 1)))),
      listener_(stream_socket()) {
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof(address);
  REGFS_CHECK(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0 &&
                  ::listen(listener_.get(), 64) == 0 &&
                  ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0,
              "the tests' TLS server cannot listen on loopback");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_clients(); });
}

TlsFront::~TlsFront() {
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  MutexLock lock(mutex_);
  for (Connection& connection : connections_) {
    ::shutdown(connection.client.get(), SHUT_RDWR);
    if (connection.backend.ok()) ::shutdown(connection.backend.get(), SHUT_RDWR);
    connection.thread.join();
  }
}

std::string TlsFront::host() const {
  return "127.0.0.1:" + std::to_string(port_);
}

void TlsFront::accept_clients() {
  // OpenSSL writes without MSG_NOSIGNAL; the threads made here inherit the mask.
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  while (true) {
    UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client.ok()) return;
    MutexLock lock(mutex_);
    Connection& connection = connections_.emplace_back();
    connection.client = std::move(client);
    connection.backend = connected_to(backend_port_);
    connection.thread = std::thread([this, from = connection.client.get(), to = connection.backend.get()] {
      serve(from, to);
      ::shutdown(from, SHUT_RDWR);  // the descriptors stay open until the end, so that their numbers stay theirs
      ::shutdown(to, SHUT_RDWR);
    });
  }
}

bool TlsFront::begins_with_handshake(int client) {
  unsigned char first = 0;
  if (::recv(client, &first, 1, MSG_PEEK) != 1) return false;
  ++(first == kHandshakeRecord ? handshakes_begun_ : plain_clients_);
  return first == kHandshakeRecord;
}

void TlsFront::serve(int client, int backend) {
  if (!begins_with_handshake(client)) return;
  const std::unique_ptr<SSL, SslDeleter> ssl(SSL_new(context_->context));
  SSL_set_fd(ssl.get(), client);
  if (SSL_accept(ssl.get()) != 1) return;
  std::array<char, 16 << 10> piece;
  while (true) {
    pollfd both[2] = {{.fd = client, .events = POLLIN, .revents = 0}, {.fd = backend, .events = POLLIN, .revents = 0}};
    if (SSL_pending(ssl.get()) > 0) {
      both[0].revents = POLLIN;
    } else if (::poll(both, 2, -1) < 0) {
      return;
    }
    if (both[0].revents != 0) {
      const int count = SSL_read(ssl.get(), piece.data(), static_cast<int>(piece.size()));
      if (count <= 0) return;
      bytes_received_ += static_cast<uint64_t>(count);
      if (!send_all(backend, piece.data(), static_cast<size_t>(count))) return;
    }
    if (both[1].revents != 0) {
      const ssize_t count = ::recv(backend, piece.data(), piece.size(), 0);
      if (count <= 0 || SSL_write(ssl.get(), piece.data(), static_cast<int>(count)) <= 0) return;
    }
  }
}

}  // namespace regfs::test
