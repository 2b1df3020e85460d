// SPDX-License-Identifier: MIT
// Each source of a credential, one by one: a private image is read with it, and after the whole run its secret stands
// neither in the log, nor in the cache, nor in what the system shows of the process and of the helpers that it ran.
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/mount/mount_fixture.h"
#include "tests/support/process_facts.h"

namespace regfs::test::credential_traces_test {
namespace {

const FakeLogin kAnn{"ann", "hunter2-is-secret"};
const std::string kAuth = basic_header(kAnn).substr(6);
const std::string kRefreshToken = "refresh-hunter2";
const std::string kReadyToken = "ready-hunter2";

// Where a source puts what it needs, and what it asks of the registry.
struct World {
  FakeRegistry& registry;
  const TempDir& scratch;

  std::string write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(scratch / name).parent_path());
    std::ofstream(scratch / name) << text;
    return scratch / name;
  }
  void write_helper() const {
    const std::string path = write(
        "bin/docker-credential-test",
        "#!/bin/sh\necho \"$0 $*\" >> " + scratch.path() + "/arguments\n" + "tr '\\0' '\\n' < /proc/$$/environ >> " +
            scratch.path() + "/arguments\nread -r server\ntest \"$server\" = " + registry.host() +
            " && echo '{\"Username\":\"" + kAnn.username + "\",\"Secret\":\"" + kAnn.password + "\"}'\n");
    ::chmod(path.c_str(), 0755);
  }
  std::string path() const { return "PATH=" + scratch.path() + "/bin:/usr/bin:/bin"; }
  // {"auths": {KEY: {MEMBERS}}}
  std::string auths(const std::string& key, const std::string& members) const {
    return R"({"auths": {")" + key + R"(": {)" + members + "}}}";
  }
  std::string auths() const { return auths(registry.host(), R"("auth": ")" + kAuth + "\""); }
  MountSpec docker_config(const std::string& text) const {
    write("config.json", text);
    return {.environment = {"DOCKER_CONFIG=" + scratch.path(), path()}};
  }
};

struct CredentialSource {
  std::string name;
  MountSpec (*set_up)(const World&);
  std::string told;  // in the log: where it is from
  enum class Wants { basic, token, refresh_token, ready_token } wants = Wants::token;
};

void PrintTo(const CredentialSource& source, std::ostream* out) {
  *out << source.name;
}

std::vector<CredentialSource> sources() {
  using Wants = CredentialSource::Wants;
  const std::string options = "user ann from the command line or environment";
  return {
      {"TheOptions",
       [](const World& world) {
         return MountSpec{.arguments = {"--username", kAnn.username, "--password", kAnn.password},
                          .host = world.registry.host()};
       },
       options},
      {"AMountOption",
       [](const World& world) {
         return MountSpec{.arguments = {"-o", "username=" + kAnn.username + ",password=" + kAnn.password},
                          .host = world.registry.host()};
       },
       options, Wants::basic},
      {"TheEnvironment",
       [](const World& world) {
         return MountSpec{.host = world.registry.host(),
                          .environment = {"REGFS_USERNAME=" + kAnn.username, "REGFS_PASSWORD=" + kAnn.password}};
       },
       options},
      {"StandardInput",
       [](const World& world) {
         const std::string file = world.write("password", kAnn.password + "\n");
         return MountSpec{.arguments = {"--username", kAnn.username, "--password-stdin"},
                          .host = world.registry.host(),
                          .launcher = {"sh", "-c", "exec \"$@\" < " + file, "sh"}};
       },
       options, Wants::basic},
      {"AnAuthfile",
       [](const World& world) {
         return MountSpec{.arguments = {"--authfile", world.write("auth.json", world.auths())}};
       },
       "/auth.json, entry '"},
      {"RegistryAuthFile",
       [](const World& world) {
         return MountSpec{.environment = {"REGISTRY_AUTH_FILE=" + world.write("registry.json", world.auths())}};
       },
       "/registry.json, entry '"},
      {"DockerAuthConfig",
       [](const World& world) { return MountSpec{.environment = {"DOCKER_AUTH_CONFIG=" + world.auths()}}; },
       "$DOCKER_AUTH_CONFIG, entry '"},
      {"TheAuthsOfConfigJson", [](const World& world) { return world.docker_config(world.auths()); },
       "/config.json, entry '"},
      {"AUserInClearInConfigJson",
       [](const World& world) {
         return world.docker_config(
             world.auths(world.registry.host(), R"("username": "ann", "password": ")" + kAnn.password + "\""));
       },
       "/config.json, entry '", Wants::basic},
      {"AnIdentityToken",
       [](const World& world) {
         return world.docker_config(
             world.auths(world.registry.host(), R"("auth": "MDAwOg==", "identitytoken": ")" + kRefreshToken + "\""));
       },
       "an identity token from ", Wants::refresh_token},
      {"ARegistryToken",
       [](const World& world) {
         return world.docker_config(world.auths(world.registry.host(), R"("registrytoken": ")" + kReadyToken + "\""));
       },
       "a token from ", Wants::ready_token},
      {"AHelperOfTheRegistry",
       [](const World& world) {
         world.write_helper();
         return world.docker_config(R"({"credHelpers": {")" + world.registry.host() + R"(": "test"}})");
       },
       "docker-credential-test"},
      {"AHelperOfAllRegistries",
       [](const World& world) {
         world.write_helper();
         return world.docker_config(R"({"credsStore": "test", "auths": {")" + world.registry.host() + R"(": {}}})");
       },
       "docker-credential-test", Wants::basic},
      {"ANamespaceOfAuthJson",
       [](const World& world) {
         world.write("run/containers/auth.json",
                     world.auths(world.registry.host() + "/acme/api", R"("auth": ")" + kAuth + "\""));
         return MountSpec{.environment = {"XDG_RUNTIME_DIR=" + (world.scratch / "run")}};
       },
       "/containers/auth.json, entry '"},
      {"AuthJsonOfTheConfiguration",
       [](const World& world) {
         world.write("etc/containers/auth.json", world.auths());
         return MountSpec{.environment = {"XDG_CONFIG_HOME=" + (world.scratch / "etc")}};
       },
       "/containers/auth.json, entry '"},
      {"TheOldDockercfg",
       [](const World& world) {
         world.write(".dockercfg", R"({")" + world.registry.host() + R"(": {"auth": ")" + kAuth + "\"}}");
         return MountSpec{.environment = {"HOME=" + world.scratch.path()}};
       },
       "/.dockercfg, entry '"},
  };
}

class CredentialTraces : public MountTest, public testing::WithParamInterface<CredentialSource> {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (IsSkipped()) return;
    registry_.push("acme/api", "latest", image_);
    switch (GetParam().wants) {
      case CredentialSource::Wants::basic: return registry_.require_basic(kAnn);
      case CredentialSource::Wants::token: return registry_.require_token_of(kAnn);
      case CredentialSource::Wants::refresh_token: return registry_.require_token_for(kRefreshToken);
      case CredentialSource::Wants::ready_token: return registry_.require_ready_token(kReadyToken);
    }
  }
  static void expect_no_secret_in(const std::string& place, const std::string& text) {
    for (const std::string& secret : {kAnn.password, kAuth, kRefreshToken, kReadyToken, std::string("token-for-")}) {
      EXPECT_EQ(text.find(secret), std::string::npos) << secret << " in " << place << ": " << text.substr(0, 2000);
    }
  }

  const SampleImage image_ = make_image({.layers = {seeded_layer(1, 2 << 20), seeded_layer(2, 70'000)}});
  const TempDir scratch_;
};

TEST_P(CredentialTraces, ReadsAPrivateImageAndItsSecretIsNowhereAfterwards) {
  const World world{registry_, scratch_};
  MountSpec spec = GetParam().set_up(world);
  spec.arguments.insert(spec.arguments.end(), {"--log-level", "debug"});
  const TempDir cache;
  spec.cache_directory = cache / "cache";
  MountedRegfs mount(spec);
  REGFS_ASSERT_MOUNTED(mount);
  const MountPath root = spec.host.empty() ? mount / registry_.host() : MountPath(mount.mountpoint());
  const ReadOutcome got = read_file(root / "acme" / "api" / "latest" / "linux-amd64.tar");
  ASSERT_EQ(got.error, 0) << mount.log();
  EXPECT_TRUE(same_bytes(got.bytes, model_of(image_, "acme/api", "latest").bytes()));
  EXPECT_TRUE(contains(mount.log(), GetParam().told));
  list_directory(root / "acme" / "none");  // and something is refused

  const std::string process = "/proc/" + std::to_string(mount.process().pid());
  for (const char* const file : {"/cmdline", "/environ"}) expect_no_secret_in(file, text_file(process + file));
  EXPECT_FALSE(text_file(process + "/cmdline").empty());
  expect_no_secret_in("what a helper saw", text_file(scratch_ / "arguments"));
  EXPECT_EQ(mount.stop(), 0);
  expect_no_secret_in("the log", mount.log());
  size_t files = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(spec.cache_directory)) {
    expect_no_secret_in("a name of the cache", file.path().filename().string());
    if (file.is_regular_file() && ++files > 0) expect_no_secret_in("the cache", text_file(file.path().string()));
  }
  EXPECT_GT(files, 5u);
}

INSTANTIATE_TEST_SUITE_P(Of, CredentialTraces, testing::ValuesIn(sources()),
                         [](const testing::TestParamInfo<CredentialSource>& of) { return of.param.name; });

class CoreFile : public MountTest {
 protected:
  // Whether the program ended by a signal left a core file, as the kernel says; nullopt: it has not ended.
  static std::optional<bool> dumped(pid_t pid) {
    siginfo_t how{};
    if (::waitid(P_PID, static_cast<id_t>(pid), &how, WEXITED | WNOWAIT) != 0) return std::nullopt;
    return how.si_code == CLD_DUMPED;
  }
  std::vector<std::string> dumping() const {
    return {"sh", "-c", "cd " + scratch_.path() + " && ulimit -c unlimited && exec \"$@\"", "sh"};
  }
  const TempDir scratch_;
};

TEST_F(CoreFile, IsNotWrittenThoughTheUserAllowsOne) {
  if (!memory_is_the_programs_own()) GTEST_SKIP() << "sanitizers see to core files themselves";
  std::vector<std::string> other = dumping();
  other.insert(other.end(), {"sleep", "600"});
  ChildProcess control(other, {});
  const std::string command = "/proc/" + std::to_string(control.pid()) + "/cmdline";
  ASSERT_TRUE(eventually(std::chrono::seconds(30), [&] { return text_file(command).starts_with("sleep"); }));
  control.send(SIGQUIT);
  if (dumped(control.pid()) != true) GTEST_SKIP() << "no program leaves a core file here";

  MountedRegfs mount({.host = registry_.host(),
                      .launcher = dumping(),
                      .environment = {"REGFS_USERNAME=" + kAnn.username, "REGFS_PASSWORD=" + kAnn.password}});
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(contains(text_file("/proc/" + std::to_string(mount.process().pid()) + "/limits"),
                       "Max core file size        unlimited"));
  mount.process().send(SIGQUIT);
  EXPECT_EQ(dumped(mount.process().pid()), std::optional<bool>(false));
  mount.kill();
}

}  // namespace
}  // namespace regfs::test::credential_traces_test
