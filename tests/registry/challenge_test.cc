// SPDX-License-Identifier: MIT
#include "registry/challenge.h"

#include <gtest/gtest.h>

#include <string>

namespace regfs::registry::challenge_test {
namespace {

using Parameters = std::map<std::string, std::string>;

Challenge only(const std::string& header) {
  std::vector<Challenge> challenges = parse_challenges({header});
  EXPECT_EQ(challenges.size(), 1u) << header;
  return challenges.empty() ? Challenge{} : challenges.front();
}

TEST(Challenges, AreNoneInNonsense) {
  for (const std::string& header :
       {std::string(), std::string(" , ,, "), std::string("=,=\"x\""), std::string("\"Bearer\""),
        std::string("realm=\"x\""), std::string("\0\x01\xff", 3), std::string("\"\\")}) {
    EXPECT_TRUE(parse_challenges({header}).empty()) << header;
  }
  EXPECT_TRUE(parse_challenges({}).empty());
}

TEST(Challenges, DropAValueThatCouldForgeAHeader) {
  for (const std::string& bad : {std::string("a\r\nX: y"), std::string("a\nb"), std::string("a\0b", 3),
                                 std::string("a\x7f"), std::string("a\tb")}) {
    EXPECT_EQ(only("Bearer realm=\"https://r\",scope=\"" + bad + "\",service=\"s\"").parameters,
              (Parameters{{"realm", "https://r"}, {"service", "s"}}));
  }
  EXPECT_EQ(only("Bearer realm=a\x01,service=s").parameters, (Parameters{{"service", "s"}}));
}

TEST(Challenges, LeaveAnUnclosedValueOut) {
  EXPECT_EQ(only("Bearer realm=\"https://r\",scope=\"repo").parameters, (Parameters{{"realm", "https://r"}}));
  EXPECT_EQ(only("Bearer realm=\"https://r\",scope=\"repo\\").parameters, (Parameters{{"realm", "https://r"}}));
}

TEST(Challenges, DoNotLendParametersToAnotherHeader) {
  std::vector<Challenge> challenges = parse_challenges({"Bearer service=\"s\"", "realm=\"https://evil\""});
  ASSERT_EQ(challenges.size(), 1u);
  EXPECT_EQ(challenges[0].parameters, (Parameters{{"service", "s"}}));
}

TEST(Challenges, EndInBoundedTimeHoweverLong) {
  std::string header = "Bearer ";
  for (int i = 0; i < 200'000; ++i) header += "a=,";
  EXPECT_EQ(only(header).parameters.size(), 0u);
  EXPECT_EQ(parse_challenges({std::string(1'000'000, '"')}).size(), 0u);
}

TEST(Challenges, ReadWhatDockerHubSends) {
  Challenge challenge = only(
      R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull,push",error="insufficient_scope")");
  EXPECT_EQ(challenge.scheme, "bearer");
  EXPECT_EQ(challenge.parameters, (Parameters{{"realm", "https://auth.docker.io/token"},
                                              {"service", "registry.docker.io"},
                                              {"scope", "repository:library/nginx:pull,push"},
                                              {"error", "insufficient_scope"}}));
}

TEST(Challenges, ReadColonsInAService) {
  EXPECT_EQ(only(R"(Bearer realm="https://dockerauth.example/auth",service="registry.example:cn-hangzhou:26842")")
                .parameters.at("service"),
            "registry.example:cn-hangzhou:26842");
}

TEST(Challenges, ReadBareValuesSpacesAndOddCase) {
  EXPECT_EQ(only("BEARER  Realm = https://gcr.io/v2/token?a=b , SERVICE=gcr.io").parameters,
            (Parameters{{"realm", "https://gcr.io/v2/token?a=b"}, {"service", "gcr.io"}}));
  EXPECT_EQ(only("bearer realm=\"a\" service=\"b\"").parameters, (Parameters{{"realm", "a"}, {"service", "b"}}));
}

TEST(Challenges, UnescapeQuotedPairs) {
  EXPECT_EQ(only(R"(Basic realm="a \"b\", Bearer realm=\\c")").parameters.at("realm"), R"(a "b", Bearer realm=\c)");
}

TEST(Challenges, KeepTheFirstOfARepeatedKey) {
  EXPECT_EQ(only(R"(Bearer realm="https://first",Realm="https://second")").parameters,
            (Parameters{{"realm", "https://first"}}));
}

TEST(Challenges, StandSeveralInOneHeader) {
  std::vector<Challenge> challenges =
      parse_challenges({R"(Negotiate, NTLM TlRMTVNTUAAB==, Basic realm="a", charset="UTF-8", Bearer realm="b")"});
  ASSERT_EQ(challenges.size(), 4u);
  EXPECT_EQ(challenges[0].scheme, "negotiate");
  EXPECT_EQ(challenges[1].scheme, "ntlm");
  EXPECT_TRUE(challenges[1].parameters.empty());
  EXPECT_EQ(challenges[2].parameters, (Parameters{{"realm", "a"}, {"charset", "UTF-8"}}));
  EXPECT_EQ(challenges[3].parameters, (Parameters{{"realm", "b"}}));
}

TEST(Challenges, StandInSeveralHeaders) {
  std::vector<Challenge> challenges = parse_challenges({"Negotiate", "Basic realm=\"a\""});
  ASSERT_EQ(challenges.size(), 2u);
  EXPECT_EQ(challenges[1].scheme, "basic");
}

TEST(Challenges, MayHaveNoParameters) {
  EXPECT_EQ(only("Bearer").scheme, "bearer");
}

}  // namespace
}  // namespace regfs::registry::challenge_test
