// SPDX-License-Identifier: MIT
#include "registry/reference.h"

#include <gtest/gtest.h>

#include <string>

namespace regfs::registry::reference_test {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

TEST(RegistryHost, IsNotWhatDockerTakesForARepository) {
  for (const char* word : {"", "nginx", "library", "ghcr", "nginx:latest", "localhost2", "a_b"}) {
    EXPECT_FALSE(is_registry_host(word)) << word;
  }
}

TEST(RegistryHost, IsNeverHostile) {
  const std::string refused[] = {"user@ghcr.io",
                                 "user:secret@ghcr.io",
                                 "-oProxyCommand=x.y",
                                 ".git",
                                 "ghcr.io.",
                                 "..",
                                 ".",
                                 "a..b",
                                 "ghcr.io/x",
                                 "ghcr.io\n",
                                 "ghcr .io",
                                 "gh%2e.io",
                                 "ghcr.io-",
                                 "a.-b",
                                 "a_b.c",
                                 "host:",
                                 "host:0",
                                 "host:00080",
                                 "host:65536",
                                 "host:99999999999",
                                 "host:+80",
                                 "host:80:80",
                                 ":80",
                                 "[::1",
                                 "::1",
                                 "[]",
                                 "[::1]x",
                                 "[::1]:",
                                 "[::1%eth0]",
                                 "[1.2.3.4]",
                                 "[" + std::string("::1\0x", 5) + "]",
                                 std::string("a.b\0c", 5),
                                 "b\xc3\xbc.de",
                                 std::string(64, 'a') + ".io",
                                 std::string(300, 'a') + ".io"};
  for (const std::string& word : refused) EXPECT_FALSE(is_registry_host(word)) << word;
}

TEST(RegistryHost, HasADotAPortOrIsLocalhost) {
  for (const char* word :
       {"ghcr.io", "localhost", "localhost:5000", "registry:5000", "127.0.0.1", "[::1]", "[::1]:5000",
        "[2001:db8::1]:443", "GHCR.io", "my-host.example:65535", "1.25", "xn--bcher-kva.example"}) {
    EXPECT_TRUE(is_registry_host(word)) << word;
  }
}

TEST(CanonicalHost, IsOneNameForDockerHub) {
  EXPECT_EQ(canonical_host("index.docker.io"), "docker.io");
  EXPECT_EQ(canonical_host("Registry-1.Docker.IO"), "docker.io");
  EXPECT_EQ(canonical_host("GHCR.io:443"), "ghcr.io:443");
}

TEST(RepositoryComponent, FollowsTheGrammar) {
  for (const char* word : {"", ".git", "-a", "_a", "a-", "a.", "a_", "a..b", "a___b", "a._b", "A", "a b", "a/b", "a\n",
                           "..", "a:b", "a@b", "\xc3\xa4"}) {
    EXPECT_FALSE(is_repository_component(word)) << word;
  }
  for (const char* word : {"a", "0", "a-b", "a--b", "a------b", "a_b", "a__b", "a.b", "a.b_c__d-e", "nginx"}) {
    EXPECT_TRUE(is_repository_component(word)) << word;
  }
}

TEST(Tag, FollowsTheGrammar) {
  EXPECT_FALSE(is_tag(std::string(129, 'a')));
  EXPECT_TRUE(is_tag(std::string(128, 'a')));
  for (const std::string& word :
       {std::string(), std::string("."), std::string(".."), std::string("-a"), std::string("a/b"), std::string("a b"),
        std::string("a\n"), std::string("a\0", 2), std::string("sha256:00"), std::string("\xc3\xa4")}) {
    EXPECT_FALSE(is_tag(word)) << word;
  }
  for (const char* word : {"latest", "1.25", "_a", "A-b_c.D", "v1..2"}) EXPECT_TRUE(is_tag(word)) << word;
}

TEST(MakeRepository, SaysWhatIsWrongWithAName) {
  const std::pair<const char*, const char*> cases[] = {{"", "empty component"},         {"a//b", "empty component"},
                                                       {"/a", "empty component"},       {"a/", "empty component"},
                                                       {"acme/Nginx", "is lower case"}, {"a/..", "no repository name"},
                                                       {"a b", "no repository name"}};
  for (const auto& [name, words] : cases) {
    Result<Repository> repository = make_repository("ghcr.io", name);
    ASSERT_FALSE(repository) << name;
    EXPECT_TRUE(repository.error().is(Errc::invalid_argument));
    EXPECT_NE(repository.error().context().find(words), std::string::npos) << repository.error().context();
  }
}

TEST(MakeRepository, RefusesAHostThatIsNone) {
  EXPECT_FALSE(make_repository("nginx", "a"));
  EXPECT_FALSE(make_repository("user@ghcr.io", "a"));
}

TEST(MakeRepository, CountsHostAndNameTogether) {
  const std::string fits(255 - std::string("ghcr.io/").size(), 'a');
  EXPECT_TRUE(make_repository("ghcr.io", fits));
  EXPECT_FALSE(make_repository("ghcr.io", fits + "a"));
  EXPECT_FALSE(make_repository("docker.io", std::string(240, 'a'))) << "library/ counts";
}

TEST(ParseReference, ShowsNoControlCharacterOfWhatItRefuses) {
  for (const std::string& text : {std::string("a\x1b[31m"), std::string("a:\x1b"), std::string("a@\x1b"),
                                  std::string("\x1b://x"), std::string("x.y\x1b/z"), std::string("a\0b", 3)}) {
    Result<Reference> reference = parse_reference(text);
    ASSERT_FALSE(reference);
    for (char c : reference.error().context()) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
  }
}

TEST(ParseReference, SaysWhatIsWrong) {
  const std::pair<std::string, const char*> cases[] = {{"", "is empty"},
                                                       {"https://ghcr.io/a", "leave 'https://' out"},
                                                       {"nginx:", "no tag"},
                                                       {"nginx:a b", "no tag"},
                                                       {"nginx@", "not a digest"},
                                                       {"nginx@sha256:12", "64 hex digits"},
                                                       {"Nginx", "lower case"},
                                                       {"ghcr.io/", "empty component"},
                                                       {"bad_host.io/a", "no registry"},
                                                       {std::string(64, 'a'), "image id"}};
  for (const auto& [text, words] : cases) {
    Result<Reference> reference = parse_reference(text);
    ASSERT_FALSE(reference) << text;
    EXPECT_TRUE(reference.error().is(Errc::invalid_argument)) << text;
    EXPECT_NE(reference.error().context().find(words), std::string::npos) << reference.error().context();
  }
}

TEST(ParseReference, CallsAnotherDigestAlgorithmUnsupported) {
  EXPECT_TRUE(parse_reference("nginx@sha512:00").error().is(Errc::unsupported));
}

TEST(ParseReference, ReadsNamesAsDockerDoes) {
  const std::pair<std::string, std::string> cases[] = {{"nginx", "docker.io/library/nginx:latest"},
                                                       {"nginx:1.25", "docker.io/library/nginx:1.25"},
                                                       {"acme/api", "docker.io/acme/api:latest"},
                                                       {"docker.io/nginx", "docker.io/library/nginx:latest"},
                                                       {"index.docker.io/acme/api:v1", "docker.io/acme/api:v1"},
                                                       {"example.com", "docker.io/library/example.com:latest"},
                                                       {"localhost:5000", "docker.io/library/localhost:5000"},
                                                       {"localhost/a", "localhost/a:latest"},
                                                       {"localhost:5000/a:b", "localhost:5000/a:b"},
                                                       {"[::1]:5000/a/b/c:d", "[::1]:5000/a/b/c:d"},
                                                       {"GHCR.io/acme/api", "ghcr.io/acme/api:latest"},
                                                       {"ghcr.io/acme/api@" + kDigest, "ghcr.io/acme/api@" + kDigest},
                                                       {"nginx:1.25@" + kDigest, "docker.io/library/nginx@" + kDigest}};
  for (const auto& [text, whole] : cases) {
    Result<Reference> reference = parse_reference(text);
    ASSERT_TRUE(reference) << text << ": " << reference.error().context();
    EXPECT_EQ(reference->str(), whole) << text;
  }
}

TEST(Familiar, IsWhatDockerPrints) {
  const std::pair<const char*, const char*> cases[] = {{"docker.io/library/nginx:1", "nginx:1"},
                                                       {"docker.io/acme/api:1", "acme/api:1"},
                                                       {"docker.io/library/a/b:1", "library/a/b:1"},
                                                       {"ghcr.io/library/nginx:1", "ghcr.io/library/nginx:1"}};
  for (const auto& [text, familiar] : cases) EXPECT_EQ(parse_reference(text)->familiar(), familiar);
}

TEST(Familiar, ReadsBackAsTheSameRepository) {
  for (const char* name : {"nginx", "acme/api", "example.com/api", "localhost/api", "example.com", "a/b/c"}) {
    Result<Repository> repository = make_repository(kDockerHub, name);
    ASSERT_TRUE(repository) << name;
    Result<Reference> again = parse_reference(repository->familiar());
    ASSERT_TRUE(again) << name;
    EXPECT_EQ(again->repository, *repository);
  }
}

}  // namespace
}  // namespace regfs::registry::reference_test
