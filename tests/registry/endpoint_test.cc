// SPDX-License-Identifier: MIT
#include "registry/endpoint.h"

#include <gtest/gtest.h>

namespace regfs::registry::endpoint_test {
namespace {

constexpr TransportFailure kEveryFailure[] = {
    TransportFailure::tls,    TransportFailure::refused, TransportFailure::unresolved, TransportFailure::timed_out,
    TransportFailure::broken, TransportFailure::stopped, TransportFailure::cancelled,  TransportFailure::none,
};

TEST(Endpoints, NeverOfferPlainHttpForAPublicRegistry) {
  Endpoints endpoints({});
  Endpoint used = endpoints.of("ghcr.io");
  EXPECT_FALSE(endpoints.changed_by_failure("ghcr.io", used, TransportFailure::not_tls));
  EXPECT_EQ(endpoints.of("ghcr.io").url, "https://ghcr.io");
}

TEST(Endpoints, OfferPlainHttpForLoopbackOnlyWhenThePortSpeaksNoTls) {
  Endpoints endpoints({});
  Endpoint used = endpoints.of("127.0.0.1:5000");
  for (TransportFailure failure : kEveryFailure) {
    EXPECT_FALSE(endpoints.changed_by_failure("127.0.0.1:5000", used, failure));
    EXPECT_EQ(endpoints.of("127.0.0.1:5000").url, "https://127.0.0.1:5000");
  }
  EXPECT_TRUE(endpoints.changed_by_failure("127.0.0.1:5000", used, TransportFailure::not_tls));
  EXPECT_EQ(endpoints.of("127.0.0.1:5000").url, "http://127.0.0.1:5000");
}

TEST(Endpoints, RememberEachHostByItself) {
  Endpoints endpoints({});
  endpoints.changed_by_failure("localhost:5000", endpoints.of("localhost:5000"), TransportFailure::not_tls);
  EXPECT_EQ(endpoints.of("localhost:5001").url, "https://localhost:5001");
}

TEST(Endpoints, StartWithHttpsAgainOnceAPlainPortFails) {
  Endpoints endpoints({});
  endpoints.changed_by_failure("localhost", endpoints.of("localhost"), TransportFailure::not_tls);
  EXPECT_FALSE(endpoints.changed_by_failure("localhost", endpoints.of("localhost"), TransportFailure::refused));
  EXPECT_EQ(endpoints.of("localhost").url, "https://localhost");
}

TEST(Endpoints, StartWithHttpsAgainOnceAPlainPortAnswers400) {
  Endpoints endpoints({});
  endpoints.changed_by_failure("localhost", endpoints.of("localhost"), TransportFailure::not_tls);
  endpoints.answered("localhost", endpoints.of("localhost"), 404);
  EXPECT_EQ(endpoints.of("localhost").url, "http://localhost");
  endpoints.answered("localhost", endpoints.of("localhost"), 400);
  EXPECT_EQ(endpoints.of("localhost").url, "https://localhost");
}

TEST(Endpoints, VerifyTlsUnlessTheUserCalledTheHostInsecure) {
  Endpoints endpoints({"lab.example:5000"});
  EXPECT_TRUE(endpoints.of("ghcr.io").verify_tls);
  EXPECT_TRUE(endpoints.of("localhost:5000").verify_tls);
  EXPECT_TRUE(endpoints.of("lab.example").verify_tls);
  EXPECT_FALSE(endpoints.of("lab.example:5000").verify_tls);
  EXPECT_TRUE(endpoints.verifies("https://lab.example/x"));
  EXPECT_FALSE(endpoints.verifies("https://lab.example:5000/x"));
}

TEST(Endpoints, OfferPlainHttpForAnInsecureHostThatSpeaksNoTls) {
  Endpoints endpoints({"lab.example"});
  EXPECT_FALSE(endpoints.changed_by_failure("lab.example", endpoints.of("lab.example"), TransportFailure::tls));
  EXPECT_TRUE(endpoints.changed_by_failure("lab.example", endpoints.of("lab.example"), TransportFailure::not_tls));
  EXPECT_EQ(endpoints.of("lab.example").url, "http://lab.example");
}

TEST(Endpoints, DialTheHostThatDockerHubReallyHas) {
  EXPECT_EQ(Endpoints({}).of("docker.io").url, "https://registry-1.docker.io");
}

}  // namespace
}  // namespace regfs::registry::endpoint_test
