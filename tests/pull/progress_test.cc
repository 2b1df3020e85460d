// SPDX-License-Identifier: MIT
// What a user, a log and a program see of a pull.
#include <poll.h>
#include <pty.h>
#include <unistd.h>

#include <sstream>

#include <nlohmann/json.hpp>

#include "tests/pull/pull_fixture.h"
#include "tests/tools/tiny_terminal.h"

namespace regfs::test::progress_test {
namespace {

// A terminal of that width that a program writes to, and all that it has written.
class Terminal {
 public:
  explicit Terminal(uint16_t columns, uint16_t rows = 40) {
    const winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    int screen = -1;
    int program = -1;
    char name[64] = {};
    if (::openpty(&screen, &program, name, nullptr, &size) != 0) return;
    screen_.reset(screen);
    program_.reset(program);  // held, so that the screen does not end before the program has opened it
    name_ = name;
  }
  const std::string& name() const { return name_; }

  // Reads until the program has ended and nothing is left.
  std::string read_all(ChildProcess& program) {
    std::string text;
    while (true) {
      pollfd waits[] = {{screen_.get(), POLLIN, 0}, {program.pid_fd(), POLLIN, 0}};
      if (::poll(waits, 2, static_cast<int>(std::chrono::milliseconds(kSoon).count())) <= 0) return text;
      if ((waits[0].revents & POLLIN) == 0) return text;
      char piece[4096];
      const ssize_t count = ::read(screen_.get(), piece, sizeof(piece));
      if (count <= 0) return text;
      text.append(piece, static_cast<size_t>(count));
    }
  }

 private:
  UniqueFd screen_;
  UniqueFd program_;
  std::string name_;
};

class PullProgress : public PullTest {
 protected:
  void SetUp() override { registry_.push("app", "1", image_); }

  std::vector<std::string> to_file(const std::vector<std::string>& options = {}) const {
    std::vector<std::string> arguments{"--platform=linux/amd64", "-o", "a.tar"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.push_back(name_of("app", "1"));
    return arguments;
  }
  // All that is written on a terminal by a pull, whose exit code must be that.
  std::string on_terminal(uint16_t columns, const std::vector<std::string>& variables, int status = 0) {
    Terminal terminal(columns);
    EXPECT_NE(terminal.name(), "");
    std::vector<std::string> all{"TERM=xterm"};
    all.insert(all.end(), variables.begin(), variables.end());
    ChildProcess program(command(to_file(), all), {.standard = "/dev/null", .error = terminal.name()});
    const std::string text = terminal.read_all(program);
    EXPECT_EQ(program.wait(kSoon), status) << text;
    return text;
  }

  const SampleImage image_ =
      make_image({.layers = {seeded_layer(1, 3'000'000), seeded_layer(2, 500'000), seeded_layer(3, 70)}});
};

TEST_F(PullProgress, QuietSaysNothing) {
  const Pulled pulled = pull(to_file({"--quiet"}));
  EXPECT_EQ(pulled.status, 0);
  EXPECT_EQ(pulled.output, "");
  EXPECT_EQ(pulled.error, "");
}

TEST_F(PullProgress, QuietSaysNothingOfAPasswordOnTheCommandLineEither) {
  EXPECT_EQ(pull(to_file({"--quiet", "--username", "ann", "--password", "s3cret"})).error, "");
  EXPECT_TRUE(contains(pull(to_file({"--username", "ann", "--password", "s3cret"})).error, "--password-stdin"));
}

TEST_F(PullProgress, AsJsonAWarningIsAnEventToo) {
  std::istringstream lines(pull(to_file({"--progress=json", "--username", "ann", "--password", "s3cret"})).error);
  size_t messages = 0;
  for (std::string line; std::getline(lines, line);) {
    const nlohmann::json event = nlohmann::json::parse(line, nullptr, false);
    ASSERT_TRUE(event.is_object()) << line;
    messages += event["event"] == "message" ? 1 : 0;
  }
  EXPECT_EQ(messages, 1u);
}

TEST_F(PullProgress, QuietSaysErrors) {
  const Pulled pulled = pull({"-q", name_of("app", "nope")});
  EXPECT_EQ(pulled.status, kNotFound);
  EXPECT_TRUE(contains(pulled.error, name_of("app", "nope")));
}

TEST_F(PullProgress, OfNoStyleSaysErrors) {
  EXPECT_EQ(pull(to_file({"--progress", "none"})).status, 0);
  const Pulled pulled = pull({"--progress=none", name_of("app", "nope")});
  EXPECT_EQ(pulled.status, kNotFound);
  EXPECT_TRUE(contains(pulled.error, name_of("app", "nope")));
}

TEST_F(PullProgress, AsJsonIsOneObjectALineThatEndsWithDone) {
  const Pulled pulled = pull(to_file({"--progress", "json"}));
  ASSERT_EQ(pulled.status, 0) << pulled.error;
  EXPECT_EQ(pulled.output, "");
  std::istringstream lines(pulled.error);
  std::vector<nlohmann::json> events;
  for (std::string line; std::getline(lines, line);) {
    events.push_back(nlohmann::json::parse(line, nullptr, false));
    ASSERT_TRUE(events.back().is_object()) << line;
  }
  ASSERT_GE(events.size(), 5u);
  EXPECT_EQ(events.front()["event"], "image");
  EXPECT_EQ(events.front()["layers"].size(), 3u);
  const nlohmann::json& done = events.back();
  EXPECT_EQ(done["event"], "done");
  EXPECT_EQ(done["path"], "a.tar");
  EXPECT_EQ(done["digest"], image_.digest.str());
  EXPECT_EQ(done["archive_bytes"], model_of(image_, "app", "1").size_bytes());
  EXPECT_EQ(done["layers"], 3);
  EXPECT_EQ(done["cached_layers"], 0);
  EXPECT_EQ(done["saved_bytes"], 0);
}

TEST_F(PullProgress, AsJsonAnErrorIsAnEventToo) {
  const Pulled pulled = pull({"--progress", "json", name_of("app", "nope")});
  EXPECT_EQ(pulled.status, kNotFound);
  const nlohmann::json event = nlohmann::json::parse(pulled.error, nullptr, false);
  ASSERT_TRUE(event.is_object()) << pulled.error;
  EXPECT_EQ(event["event"], "error");
  EXPECT_TRUE(contains(event["message"], name_of("app", "nope")));
}

TEST_F(PullProgress, WithoutATerminalIsPlainLines) {
  const Pulled pulled = pull(to_file());
  EXPECT_EQ(pulled.error.find('\x1b'), std::string::npos);
  EXPECT_EQ(pulled.error.find('\r'), std::string::npos);
  for (const SampleLayer& layer : image_.layers) {
    EXPECT_TRUE(contains(pulled.error, layer.digest.hex().substr(0, 12) + " done"));
  }
  EXPECT_TRUE(contains(pulled.error, "digest " + image_.digest.str()));
  EXPECT_TRUE(contains(pulled.error, "load   docker load -i a.tar\n"));
  EXPECT_TRUE(contains(pull(to_file()).error, image_.layers[0].digest.hex().substr(0, 12) + " cached"));
}

TEST_F(PullProgress, TheLoadLineIsAWordForAShell) {
  const Pulled pulled = pull({"-o", "it's one.tar", name_of("app", "1")});
  EXPECT_TRUE(contains(pulled.error, "load   docker load -i 'it'\\''s one.tar'\n"));
}

TEST_F(PullProgress, OnATerminalIsBarsThatEndFullAndFitTheWidth) {
  for (const uint16_t columns : std::initializer_list<uint16_t>{80, 200}) {
    std::filesystem::remove_all(cache_);
    TinyTerminal screen(columns, 40);  // which fails the test when the last column is used
    screen.write(on_terminal(columns, {}));
    EXPECT_TRUE(contains(screen.text(), image_.layers[0].digest.hex().substr(0, 12) + " done"));
    EXPECT_TRUE(contains(screen.text(), "100%"));
    EXPECT_TRUE(contains(screen.text(), "layers 0 of 3 from the cache"));
  }
}

TEST_F(PullProgress, OnATerminalMarksWhatIsCached) {
  ASSERT_EQ(pull(to_file()).status, 0);
  TinyTerminal screen(80, 40);
  screen.write(on_terminal(80, {}));
  EXPECT_TRUE(screen.coloured());
  EXPECT_TRUE(contains(screen.text(), "cached"));
  EXPECT_TRUE(contains(screen.text(), "layers 3 of 3 from the cache"));
}

TEST_F(PullProgress, OnATerminalAnErrorStandsBelowTheBars) {
  registry_.break_path(FakeRegistry::blob_path("app", image_.layers[1].digest), answers(404));
  TinyTerminal screen(1000, 40);  // wide enough for the sentence on one line
  screen.write(on_terminal(200, {}, kBadData));
  const std::vector<std::string> lines = screen.lines();
  ASSERT_GT(lines.size(), 3u);
  EXPECT_TRUE(lines.back().starts_with("regfs-pull: ")) << screen.text();
}

TEST_F(PullProgress, HasNoColourWhenToldSo) {
  TinyTerminal screen(80, 40);
  screen.write(on_terminal(80, {"NO_COLOR=1"}));
  EXPECT_FALSE(screen.coloured());
  EXPECT_TRUE(contains(screen.text(), "100%"));
}

TEST_F(PullProgress, OnADumbTerminalIsPlainLines) {
  EXPECT_EQ(on_terminal(80, {"TERM=dumb"}).find('\x1b'), std::string::npos);
}

TEST_F(PullProgress, AnArchiveIsNotPouredIntoATerminal) {
  Terminal terminal(80);
  ChildProcess program(command({"-o", "-", name_of("app", "1")}),
                       {.standard = terminal.name(), .error = scratch_ / "error"});
  EXPECT_EQ(terminal.read_all(program), "");
  EXPECT_EQ(program.wait(kSoon), kUsage);
  EXPECT_TRUE(contains(text_file(scratch_ / "error"), "standard output is a terminal"));
  EXPECT_FALSE(exists(cache_));
}

}  // namespace
}  // namespace regfs::test::progress_test
