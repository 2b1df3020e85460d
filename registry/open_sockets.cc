// SPDX-License-Identifier: MIT
#include "registry/open_sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace regfs::registry {
namespace {

std::pair<std::string, uint16_t> ip_and_port(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.ss_family == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(address);
    ::inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof(text));
    return {text, ntohs(six.sin6_port)};
  }
  const auto& four = reinterpret_cast<const sockaddr_in&>(address);
  ::inet_ntop(AF_INET, &four.sin_addr, text, sizeof(text));
  return {text, ntohs(four.sin_port)};
}

std::optional<ConnectionAddresses> addresses_of(int socket) {
  sockaddr_storage peer{};
  sockaddr_storage local{};
  socklen_t peer_length = sizeof(peer);
  socklen_t local_length = sizeof(local);
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &peer_length) != 0 ||
      ::getsockname(socket, reinterpret_cast<sockaddr*>(&local), &local_length) != 0) {
    return std::nullopt;
  }
  auto [peer_ip, peer_port] = ip_and_port(peer);
  auto [local_ip, local_port] = ip_and_port(local);
  return ConnectionAddresses{peer_ip, peer_port, local_ip, local_port};
}

}  // namespace

int OpenSockets::open(int family, int type, int protocol) {
  int socket = ::socket(family, type | SOCK_CLOEXEC, protocol);
  if (socket >= 0) sockets_.insert(socket);
  return socket;
}

int OpenSockets::close(int socket) {
  sockets_.erase(socket);
  return ::close(socket);
}

std::optional<int> OpenSockets::find(const ConnectionAddresses& addresses) const {
  auto found = std::find_if(sockets_.begin(), sockets_.end(),
                            [&addresses](int socket) { return addresses_of(socket) == addresses; });
  return found == sockets_.end() ? std::nullopt : std::optional(*found);
}

bool has_unread_input(int socket) {
  pollfd input{.fd = socket, .events = POLLIN, .revents = 0};
  return ::poll(&input, 1, 0) > 0;
}

}  // namespace regfs::registry
