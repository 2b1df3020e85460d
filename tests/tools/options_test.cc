// SPDX-License-Identifier: MIT
#include "tools/options.h"

#include <gtest/gtest.h>

#include <sstream>
#include <vector>

#include "tools/mount_option_table.h"

namespace regfs::options_test {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<const char*>;

const Environment kUser{"/home/ann", "", false};

Result<ParsedCommand> parse(Words words, const Environment& environment = kUser) {
  words.insert(words.begin(), "regfs");
  return parse_command_line(static_cast<int>(words.size()), words.data(), environment);
}

MountOptions options_of(Words words, const Environment& environment = kUser) {
  Result<ParsedCommand> command = parse(std::move(words), environment);
  if (!command) {
    ADD_FAILURE() << command.error().context();
    return {};
  }
  return std::get<MountOptions>(*command);
}

std::string complaint(Words words, const Environment& environment = kUser) {
  Result<ParsedCommand> command = parse(std::move(words), environment);
  if (command) return "(accepted)";
  EXPECT_TRUE(command.error().is(Errc::invalid_argument));
  return command.error().context();
}

void expect_complaint(Words words, std::vector<std::string> parts) {
  const std::string text = complaint(std::move(words));
  for (const std::string& part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' in: " << text;
}

TEST(Options, SayThatTheMountpointIsMissing) {
  expect_complaint({}, {"mountpoint is missing", "regfs --help"});
  expect_complaint({"-f"}, {"mountpoint is missing"});
  expect_complaint({""}, {"mountpoint is missing"});
  expect_complaint({"ghcr.io", ""}, {"mountpoint is missing"});
}

TEST(Options, RefuseAThirdWord) {
  expect_complaint({"ghcr.io", "/mnt", "/mnt2"}, {"'/mnt2'", "[HOST] MOUNTPOINT"});
}

TEST(Options, NameTheUnknownOptionAndPointToHelp) {
  expect_complaint({"--frobnicate", "/mnt"}, {"unknown option '--frobnicate'", "regfs --help"});
  expect_complaint({"/mnt", "--frobnicate=3"}, {"unknown option '--frobnicate=3'"});
  expect_complaint({"-x", "/mnt"}, {"unknown option '-x'"});
  expect_complaint({"/mnt", "-o", "ro,frobnicate=3"}, {"unknown mount option 'frobnicate'", "regfs --help"});
}

TEST(Options, SuggestTheNearestName) {
  expect_complaint({"--cachedir", "/c", "/mnt"}, {"did you mean --cache-dir?"});
  expect_complaint({"--tag-tll=3", "/mnt"}, {"did you mean --tag-ttl?"});
  expect_complaint({"/mnt", "-o", "alow_other"}, {"did you mean allow-other?"});
  EXPECT_EQ(complaint({"--zzzzzz", "/mnt"}).find("did you mean"), std::string::npos);
}

TEST(Options, RefuseAMissingValue) {
  expect_complaint({"/mnt", "--tag-ttl"}, {"--tag-ttl needs a value"});
  expect_complaint({"/mnt", "-o"}, {"-o needs a value"});
  expect_complaint({"--log-file=", "/mnt"}, {"--log-file needs a value"});
  expect_complaint({"/mnt", "-o", "tag_ttl"}, {"-o tag-ttl needs a value", "TIME"});
  expect_complaint({"/mnt", "-o", "cache_dir="}, {"-o cache-dir", "path is missing"});
}

TEST(Options, RefuseAValueForASwitch) {
  expect_complaint({"--foreground=no", "/mnt"}, {"--foreground takes no value"});
  expect_complaint({"/mnt", "-o", "allow_other=1"}, {"-o allow-other takes no value"});
}

TEST(Options, NameTheOptionTheValueAndWhatIsAllowed) {
  expect_complaint({"--tag-ttl", "soon", "/mnt"}, {"--tag-ttl", "'soon'", "500ms, 5m"});
  expect_complaint({"--timeout=0", "/mnt"}, {"--timeout", "'0'", "1ms to 24h"});
  expect_complaint({"/mnt", "-o", "read_timeout=-3"}, {"-o read-timeout", "'-3'"});
  expect_complaint({"--max-concurrent-downloads", "0", "/mnt"}, {"--max-concurrent-downloads", "'0'", "1 to 64"});
  expect_complaint({"--max-concurrent-downloads", "-4", "/mnt"}, {"'-4'"});
  expect_complaint({"--log-level", "loud", "/mnt"}, {"--log-level", "'loud'", "error, warning, info or debug"});
  expect_complaint({"--insecure-registry", "http://h:5000", "/mnt"},
                   {"--insecure-registry", "'http://h:5000'", "HOST"});
  expect_complaint({"--insecure-registry", "word", "/mnt"}, {"'word'", "HOST:PORT"});
}

TEST(Options, RefuseASourceThatTriesToBeAHostAndIsNone) {
  for (const char* source :
       {"https://ghcr.io", "ghcr.io/acme", "/dev/sda1", "a b.c", "user@ghcr.io", "ghcr.io:99999"}) {
    expect_complaint({source, "/mnt"}, {"'" + std::string(source) + "' is no registry"});
  }
}

TEST(Options, RefuseToGuessACacheWithoutAHome) {
  EXPECT_NE(complaint({"/mnt"}, Environment{}).find("--cache-dir DIR"), std::string::npos);
  EXPECT_EQ(options_of({"/mnt", "--cache-dir", "/c"}, Environment{}).cache_dir, "/c");
}

TEST(Options, TakeOneWordAsTheMountpointOfEveryRegistry) {
  const MountOptions options = options_of({"mnt"});
  EXPECT_EQ(options.mountpoint, "mnt");
  EXPECT_EQ(options.host, std::nullopt);
}

TEST(Options, TakeTwoWordsAsHostAndMountpoint) {
  EXPECT_EQ(options_of({"GHCR.io", "/mnt"}).host, "ghcr.io");
  EXPECT_EQ(options_of({"index.docker.io", "/mnt"}).host, "docker.io");
  EXPECT_EQ(options_of({"localhost:5000", "/mnt"}).host, "localhost:5000");
  EXPECT_EQ(options_of({"[::1]:5000", "/mnt"}).host, "[::1]:5000");
  EXPECT_EQ(options_of({"localhost:5000", "/mnt"}).mountpoint, "/mnt");
}

TEST(Options, TakeASourceThatIsNoHostAsEveryRegistry) {
  for (const char* source : {"regfs", "none", "", "my_registries"}) {
    const MountOptions options = options_of({source, "/mnt"});
    EXPECT_EQ(options.host, std::nullopt) << source;
    EXPECT_EQ(options.mountpoint, "/mnt") << source;
  }
}

TEST(Options, TakeAMountpointThatLooksLikeAnOptionAfterTwoDashes) {
  EXPECT_EQ(options_of({"-f", "--", "-mnt"}).mountpoint, "-mnt");
}

TEST(Options, RefuseToShowACacheOfflineThatIsNone) {
  expect_complaint({"--offline", "--no-cache", "/mnt"}, {"--offline", "--no-cache", "give one of them"});
}

TEST(Options, TakeASizeInTheUsualUnitsAndNoneThatIsOfNoUse) {
  EXPECT_EQ(options_of({"--cache-size=20G", "/mnt"}).cache_bytes, 20ull << 30);
  EXPECT_EQ(options_of({"/mnt", "-o", "cache_size=100M"}).cache_bytes, 100ull << 20);
  for (const char* size : {"20X", "-1G", "G", "1.5G", "20GB"}) {
    expect_complaint({"--cache-size", size, "/mnt"}, {"--cache-size", "is no size"});
  }
  for (const char* size : {"31M", "0", "9000000T"}) {
    expect_complaint({"--cache-size", size, "/mnt"}, {"--cache-size", "out of range", "32M"});
  }
}

TEST(Options, HaveTheDocumentedDefaults) {
  const MountOptions options = options_of({"/mnt"});
  EXPECT_FALSE(options.foreground);
  EXPECT_FALSE(options.no_cache);
  EXPECT_EQ(options.max_concurrent_downloads, 16);
  EXPECT_EQ(options.tag_ttl, 60s);
  EXPECT_EQ(options.connect_timeout, 10s);
  EXPECT_EQ(options.timeout, 30s);
  EXPECT_EQ(options.read_timeout, 90s);
  EXPECT_EQ(options.lookup_timeout, 10s);
  EXPECT_EQ(options.list_timeout, 60s);
  EXPECT_EQ(options.log_level, LogLevel::info);
  EXPECT_FALSE(options.verify_before);
  EXPECT_EQ(options.log_file, "");
  EXPECT_FALSE(options.allow_other);
  EXPECT_FALSE(options.default_permissions);
}

TEST(Options, KeepTheCacheWhereTheUserOrTheSystemKeepsCaches) {
  EXPECT_EQ(options_of({"/mnt"}).cache_dir, "/home/ann/.cache/regfs");
  EXPECT_EQ(options_of({"/mnt"}, {"/home/ann", "/caches", false}).cache_dir, "/caches/regfs");
  EXPECT_EQ(options_of({"/mnt"}, {"/home/ann", "relative", false}).cache_dir, "/home/ann/.cache/regfs");
  EXPECT_EQ(options_of({"/mnt"}, {"/root", "/caches", true}).cache_dir, "/var/cache/regfs");
  EXPECT_EQ(options_of({"/mnt"}, {"", "", true}).cache_dir, "/var/cache/regfs");
}

TEST(Options, ReadEveryOptionFromTheCommandLine) {
  const MountOptions options = options_of({"-f",
                                           "--cache-dir=/c",
                                           "--no-cache",
                                           "--max-concurrent-downloads",
                                           "4",
                                           "--insecure-registry",
                                           "Reg.local:5000",
                                           "--insecure-registry=localhost:5001",
                                           "--tag-ttl=5m",
                                           "--connect-timeout=1",
                                           "--timeout=2s",
                                           "--read-timeout=3s",
                                           "--lookup-timeout=400ms",
                                           "--list-timeout=1h",
                                           "--log-level=debug",
                                           "--log-file",
                                           "/l",
                                           "--verify",
                                           "before",
                                           "--allow-other",
                                           "--default-permissions",
                                           "/mnt"});
  EXPECT_TRUE(options.foreground);
  EXPECT_EQ(options.cache_dir, "/c");
  EXPECT_TRUE(options.no_cache);
  EXPECT_EQ(options.max_concurrent_downloads, 4);
  EXPECT_EQ(options.insecure_registries, (std::set<std::string>{"reg.local:5000", "localhost:5001"}));
  EXPECT_EQ(options.tag_ttl, 5min);
  EXPECT_EQ(options.connect_timeout, 1s);
  EXPECT_EQ(options.timeout, 2s);
  EXPECT_EQ(options.read_timeout, 3s);
  EXPECT_EQ(options.lookup_timeout, 400ms);
  EXPECT_EQ(options.list_timeout, 1h);
  EXPECT_EQ(options.log_level, LogLevel::debug);
  EXPECT_TRUE(options.verify_before);
  EXPECT_EQ(options.log_file, "/l");
  EXPECT_TRUE(options.allow_other);
  EXPECT_TRUE(options.default_permissions);
}

TEST(Options, HaveAMountOptionForEveryLongOptionInBothSpellings) {
  for (const OptionRow& row : mount_option_table()) {
    if (row.apply == nullptr) continue;
    std::string name(row.name);
    const std::string value = row.value.empty()                           ? ""
                              : row.value == "HOST"                       ? "=localhost:5000"
                              : row.value == "LEVEL"                      ? "=debug"
                              : row.value == "WHEN"                       ? "=before"
                              : row.value == "SIZE"                       ? "=1G"
                              : row.value == "DIR" || row.value == "FILE" ? "=/a"
                                                                          : "=7";
    for (const char spelling : {'-', '_'}) {
      std::replace(name.begin(), name.end(), spelling == '-' ? '_' : '-', spelling);
      EXPECT_TRUE(parse({"/mnt", "-o", (name + value).c_str()})) << name;
      EXPECT_TRUE(parse({("--" + name + value).c_str(), "/mnt"})) << name;
    }
  }
}

TEST(Options, ReadTheListsOfSeveralMountOptionsWhereverTheyStand) {
  const MountOptions options =
      options_of({"-otag_ttl=1", "none", "/mnt", "-o", "cache_dir=/a\\,b,foreground", "-o", "timeout=2"});
  EXPECT_EQ(options.tag_ttl, 1s);
  EXPECT_EQ(options.cache_dir, "/a,b");
  EXPECT_TRUE(options.foreground);
  EXPECT_EQ(options.timeout, 2s);
}

TEST(Options, LetTheLaterValueOverrideTheEarlier) {
  EXPECT_EQ(options_of({"--tag-ttl=1", "--tag-ttl=2", "/mnt"}).tag_ttl, 2s);
  EXPECT_EQ(options_of({"--tag-ttl=1", "-o", "tag_ttl=2,tag_ttl=3", "/mnt"}).tag_ttl, 3s);
  EXPECT_EQ(options_of({"-o", "tag_ttl=2", "/mnt", "--tag-ttl=1"}).tag_ttl, 1s);
}

TEST(Options, AcceptWhatMountAddsOrLeavesInTheList) {
  const MountOptions options = options_of(
      {"regfs", "/dev/fd/7", "-o",
       "rw,ro,dev,nodev,suid,nosuid,exec,noexec,auto,noauto,user,user=ann,nouser,users,nofail,_netdev,defaults,noatime,"
       "x-systemd.automount,x-systemd.idle-timeout=10min,comment=by hand,allow_other,default_permissions"});
  EXPECT_EQ(options.mountpoint, "/dev/fd/7");
  EXPECT_TRUE(options.allow_other);
  EXPECT_TRUE(options.default_permissions);
}

TEST(Options, TolerateTheFlagsOfMountHelpers) {
  EXPECT_EQ(options_of({"none", "/mnt", "-n", "-v", "-o", "ro"}).mountpoint, "/mnt");
  EXPECT_EQ(options_of({"none", "/mnt", "-s", "-o", "frobnicate"}).mountpoint, "/mnt");
  EXPECT_EQ(options_of({"none", "/mnt", "-o", "frobnicate", "-sn"}).mountpoint, "/mnt");
}

TEST(Options, ShowHelpAndVersionBeforeAnythingElseIsLookedAt) {
  for (const Words& words : {Words{"--help"}, {"-h"}, {"--frobnicate", "--help"}, {"/mnt", "-o", "bad", "-h"}}) {
    Result<ParsedCommand> command = parse(words);
    ASSERT_TRUE(command) << command.error().context();
    EXPECT_EQ(std::get<ShowHelp>(*command).text, help_text());
  }
  for (const Words& words : {Words{"--version"}, {"-V"}}) {
    Result<ParsedCommand> command = parse(words);
    ASSERT_TRUE(command) << command.error().context();
    EXPECT_TRUE(std::get<ShowVersion>(*command).text.starts_with("regfs 0.")) << std::get<ShowVersion>(*command).text;
  }
}

TEST(OptionTable, FitsItsHelpOnOneScreen) {
  std::istringstream text(help_text());
  size_t lines = 0;
  for (std::string line; std::getline(text, line); ++lines) EXPECT_LE(line.size(), 80u) << line;
  EXPECT_LE(lines, 40u);
}

TEST(OptionTable, ShowsEveryOptionInItsHelp) {
  const std::string text = help_text();
  for (const OptionRow& row : mount_option_table()) {
    const std::string shown = row.name.empty() ? std::string("-") + row.letter : "--" + std::string(row.name);
    const std::string with_value = row.value.empty() ? shown : shown + " " + std::string(row.value);
    EXPECT_NE(text.find(with_value + "  "), std::string::npos) << with_value;
    EXPECT_NE(text.find(row.help), std::string::npos) << row.help;
  }
}

TEST(OptionTable, HasEachNameOnce) {
  std::set<std::string_view> names;
  for (const OptionRow& row : mount_option_table()) EXPECT_TRUE(names.insert(row.name).second) << row.name;
}

}  // namespace
}  // namespace regfs::options_test
