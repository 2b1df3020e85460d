// SPDX-License-Identifier: MIT
#include "registry/transport_failure.h"

#include <gtest/gtest.h>

namespace regfs::registry::transport_failure_test {
namespace {

TEST(HandshakeFailure, TakesOnlyAPeerWithoutTlsForPlain) {
  for (const char* words : {"OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to localhost:5000",
                            "OpenSSL SSL_connect: Connection reset by peer in connection to localhost:5000",
                            "OpenSSL/3.0.22: error:0A000126:SSL routines::unexpected eof while reading"}) {
    EXPECT_EQ(handshake_failure(words), TransportFailure::broken) << words;
  }
  for (const char* words : {"error:0A000410:SSL routines::sslv3 alert handshake failure",
                            "error:0A00042E:SSL routines::tlsv1 alert protocol version", ""}) {
    EXPECT_EQ(handshake_failure(words), TransportFailure::tls) << words;
  }
}

TEST(HandshakeFailure, KnowsAPlainPortByOpenSslsWords) {
  EXPECT_EQ(handshake_failure("OpenSSL/3.0.22: error:0A00010B:SSL routines::wrong version number"),
            TransportFailure::not_tls);
  EXPECT_EQ(handshake_failure("error:0A0000C6:SSL routines::packet length too long"), TransportFailure::not_tls);
  EXPECT_EQ(handshake_failure("error:0A00009C:SSL routines::http request"), TransportFailure::not_tls);
}

TEST(TransportError, NamesTheHostAndTheKind) {
  EXPECT_TRUE(transport_error(TransportFailure::refused, "ghcr.io", "x").is(Errc::unreachable));
  EXPECT_TRUE(transport_error(TransportFailure::unresolved, "ghcr.io", "x").is(Errc::unreachable));
  EXPECT_TRUE(transport_error(TransportFailure::timed_out, "ghcr.io", "x").is(Errc::timed_out));
  EXPECT_TRUE(transport_error(TransportFailure::cancelled, "ghcr.io", "x").is(Errc::cancelled));
  EXPECT_TRUE(transport_error(TransportFailure::tls, "ghcr.io", "x").is(Errc::bad_response));
  EXPECT_NE(transport_error(TransportFailure::broken, "ghcr.io", "x").context().find("ghcr.io"), std::string::npos);
}

}  // namespace
}  // namespace regfs::registry::transport_failure_test
