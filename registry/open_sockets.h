// SPDX-License-Identifier: MIT
// The sockets of libcurl's connections, found again by their addresses: libcurl 7.88 tells which connection a request
// is about to use only by these. Used by the http thread alone.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

namespace regfs::registry {

struct ConnectionAddresses {
  std::string peer_ip;  // as inet_ntop() writes it
  uint16_t peer_port = 0;
  std::string local_ip;
  uint16_t local_port = 0;

  friend bool operator==(const ConnectionAddresses&, const ConnectionAddresses&) = default;
};

class OpenSockets {
 public:
  int open(int family, int type, int protocol);  // like socket(2), but no child process inherits it
  int close(int socket);                         // like close(2)

  // nullopt: none is connected so.
  std::optional<int> find(const ConnectionAddresses& addresses) const;

 private:
  std::set<int> sockets_;
};

// Whether the peer has said something, or ended, that nobody has read yet.
bool has_unread_input(int socket);

}  // namespace regfs::registry
