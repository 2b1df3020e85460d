// SPDX-License-Identifier: MIT
#include "tools/progress_view.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/tools/tiny_terminal.h"

namespace regfs::progress_view_test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr uint64_t kMiB = 1 << 20;
const Monotonic::time_point kStart(1000h);

std::string digest(size_t number) {
  const std::string digits = std::to_string(number);
  return "sha256:" + std::string(12 - digits.size(), 'a') + digits + std::string(52, '0');
}

ImageProgress image(size_t layers, uint64_t layer_bytes = 30 * kMiB) {
  ImageProgress out;
  out.title = "docker.io/library/nginx:latest linux/amd64";
  out.at = kStart;
  for (size_t i = 0; i < layers; ++i) out.layers.push_back({digest(i), layer_bytes, 0, false, false});
  return out;
}

void arrive(LayerProgress& layer, uint64_t bytes) {
  layer.present_bytes = std::min(layer.size_bytes, layer.present_bytes + bytes);
  layer.complete = layer.present_bytes == layer.size_bytes;
}

void have(LayerProgress& layer) {
  arrive(layer, layer.size_bytes);
  layer.cached = true;
}

// Four layers at a time, two MiB of each in every tenth of a second.
void step(ImageProgress& image) {
  image.at += 100ms;
  int slots = 4;
  for (LayerProgress& layer : image.layers) {
    if (!layer.complete && slots-- > 0) arrive(layer, 2 * kMiB);
  }
}

bool all_there(const ImageProgress& image) {
  return std::all_of(image.layers.begin(), image.layers.end(), [](const auto& layer) { return layer.complete; });
}

PullSummary summary() {
  return {"docker.io/library/nginx:latest linux/amd64",
          "nginx.tar",
          digest(7),
          "docker load -i nginx.tar",
          181 * kMiB,
          6,
          2,
          180 * kMiB,
          60 * kMiB,
          12'400ms};
}

const char* const kReport =
    "layers 2 of 6 from the cache, 60.0 MiB saved\n"
    "time   12.4 s, 120.0 MiB fetched at 9.7 MiB/s\n"
    "file   nginx.tar, 181.0 MiB\n"
    "digest sha256:aaaaaaaaaaa70000000000000000000000000000000000000000000000000000\n"
    "load   docker load -i nginx.tar\n";

// A view on a terminal of its own.
struct Screen {
  Screen(size_t width, size_t height, bool colour = false)
      : columns(width), rows(height), terminal(width, height), view(make(colour)) {}

  std::unique_ptr<ProgressView> make(bool colour) {
    return make_progress_view(
        ProgressStyle::automatic, false,
        {true, colour, [this] { return std::pair<int, int>(static_cast<int>(columns), static_cast<int>(rows)); }},
        [this](std::string_view text) {
          ++writes;
          terminal.write(text);
        });
  }
  void resize(size_t width, size_t height) {
    columns = width;
    rows = height;
    terminal.resize(width, height);
  }

  size_t columns;
  size_t rows;
  size_t writes = 0;
  test::TinyTerminal terminal;
  std::unique_ptr<ProgressView> view;
};

struct Text {
  explicit Text(ProgressStyle style, bool quiet = false)
      : view(make_progress_view(style, quiet, {false, false, [] { return std::pair(0, 0); }},
                                [this](std::string_view text) { written += text; })) {}
  std::vector<json> objects() const {
    std::vector<json> out;
    std::istringstream lines(written);
    for (std::string line; std::getline(lines, line);) out.push_back(json::parse(line));
    return out;
  }
  std::string written;
  std::unique_ptr<ProgressView> view;
};

TEST(TerminalView, ShowsABarForEachLayerAndTheTotal) {
  Screen screen(80, 24);
  ImageProgress pull = image(4);
  have(pull.layers[0]);
  screen.view->begin(pull);
  for (int i = 0; i < 20; ++i) {
    pull.at += 100ms;
    arrive(pull.layers[1], 1 * kMiB);
    arrive(pull.layers[2], 2 * kMiB);
    screen.view->update(pull);
  }
  EXPECT_EQ(screen.terminal.text(),
            "docker.io/library/nginx:latest linux/amd64\n"
            "aaaaaaaaaaa0 cached                             30.0 MiB\n"
            "aaaaaaaaaaa1 [=======>     ]  66%   20.0 MiB /  30.0 MiB   10.0 MiB/s      0:01\n"
            "aaaaaaaaaaa2 done                               30.0 MiB\n"
            "aaaaaaaaaaa3 [             ]   0%        0 B /  30.0 MiB\n"
            "total        [=======>     ]  66%   80.0 MiB / 120.0 MiB   25.0 MiB/s      0:01\n");
}

TEST(TerminalView, FitsAnyTerminalAndWritesEachFrameAtOnce) {
  for (size_t columns : {20u, 21u, 27u, 39u, 40u, 41u, 53u, 63u, 78u, 80u, 81u, 120u, 200u, 400u}) {
    for (size_t rows : {2u, 3u, 5u, 24u, 100u}) {
      for (size_t layers : {0u, 1u, 6u, 60u}) {
        SCOPED_TRACE(std::to_string(columns) + " columns, " + std::to_string(rows) + " rows, " +
                     std::to_string(layers) + " layers");
        Screen screen(columns, rows);
        ImageProgress pull = image(layers);
        screen.view->begin(pull);
        size_t frames = 1;
        while (!all_there(pull)) {
          step(pull);
          screen.view->update(pull);
          ++frames;
          ASSERT_EQ(screen.terminal.lines().size(), std::min(rows - 1, layers + 2));
        }
        EXPECT_EQ(screen.writes, frames);
        if (HasFailure()) return;
      }
    }
  }
}

TEST(TerminalView, CountsTheLayersThatDoNotFit) {
  Screen screen(80, 10);
  ImageProgress pull = image(60);
  for (size_t i = 0; i < 12; ++i) have(pull.layers[i]);
  arrive(pull.layers[20], kMiB);
  screen.view->begin(pull);
  const std::vector<std::string> lines = screen.terminal.lines();
  ASSERT_EQ(lines.size(), 9u);
  EXPECT_EQ(lines[1].substr(0, 12), "aaaaaaaaaa12");
  EXPECT_EQ(lines[6].substr(0, 12), "aaaaaaaaaa20") << "the one at work has a line";
  EXPECT_EQ(lines[7], "and 54 more layers: 12 done, 42 waiting");
  EXPECT_EQ(lines[8].substr(0, 5), "total");
}

TEST(TerminalView, LeavesBarsAndTheReport) {
  Screen screen(80, 24);
  ImageProgress pull = image(2);
  screen.view->begin(pull);
  while (!all_there(pull)) {
    step(pull);
    screen.view->update(pull);
  }
  screen.view->finish(pull, summary());
  EXPECT_EQ(screen.terminal.text(),
            "docker.io/library/nginx:latest linux/amd64\n"
            "aaaaaaaaaaa0 done                               30.0 MiB\n"
            "aaaaaaaaaaa1 done                               30.0 MiB\n"
            "total        [=============] 100%   60.0 MiB /  60.0 MiB\n" +
                std::string(kReport));
}

TEST(TerminalView, AFailureLeavesTheBarsAndItsSentenceOnce) {
  Screen screen(80, 24);
  ImageProgress pull = image(2);
  screen.view->begin(pull);
  for (int i = 0; i < 7; ++i) {
    step(pull);
    screen.view->update(pull);
  }
  screen.view->fail(pull, "regfs-pull: no such platform\nthere are: linux/\x1b[2Jamd64");
  EXPECT_EQ(screen.terminal.text(),
            "docker.io/library/nginx:latest linux/amd64\n"
            "aaaaaaaaaaa0 [====>        ]  46%   14.0 MiB /  30.0 MiB\n"
            "aaaaaaaaaaa1 [====>        ]  46%   14.0 MiB /  30.0 MiB\n"
            "total        [====>        ]  46%   28.0 MiB /  60.0 MiB\n"
            "regfs-pull: no such platform\n"
            "there are: linux/\\x1b[2Jamd64\n");
}

TEST(TerminalView, AMessageStandsAboveTheBars) {
  Screen screen(80, 24);
  ImageProgress pull = image(1);
  screen.view->message("before");
  screen.view->begin(pull);
  screen.view->message("retrying");
  screen.view->update(pull);
  const std::vector<std::string> lines = screen.terminal.lines();
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[0], "before");
  EXPECT_EQ(lines[1], "retrying");
  EXPECT_EQ(lines[2], pull.title);
}

TEST(TerminalView, KeepsOneSetOfBarsThroughResizes) {
  Screen screen(200, 40);
  ImageProgress pull = image(6);
  screen.view->message("above");
  screen.view->begin(pull);
  for (size_t columns : {80u, 45u, 20u, 60u, 200u, 79u}) {
    screen.resize(columns, 40);
    step(pull);
    screen.view->update(pull);
    const std::vector<std::string> lines = screen.terminal.lines();
    ASSERT_EQ(lines.size(), 1u + 8u) << columns << "\n" << screen.terminal.text();
    EXPECT_EQ(lines[0], "above");
  }
}

TEST(TerminalView, ColoursOnlyWhereThatIsAllowed) {
  for (bool colour : {false, true}) {
    Screen screen(80, 24, colour);
    ImageProgress pull = image(2);
    have(pull.layers[0]);
    screen.view->begin(pull);
    EXPECT_EQ(screen.terminal.coloured(), colour);
  }
}

TEST(TerminalView, ShowsTheWritingOnceAllLayersAreThere) {
  Screen screen(80, 24);
  ImageProgress pull = image(1);
  have(pull.layers[0]);
  pull.archive_bytes = 40 * kMiB;
  pull.written_bytes = 10 * kMiB;
  screen.view->begin(pull);
  EXPECT_EQ(screen.terminal.lines().back(), "writing      [==>          ]  25%   10.0 MiB /  40.0 MiB");
}

TEST(TerminalView, ShowsNoSpeedOfWhatWaitsOrIsThere) {
  Screen screen(80, 24);
  ImageProgress pull = image(2);
  have(pull.layers[0]);
  screen.view->begin(pull);
  for (int i = 0; i < 20; ++i) {
    pull.at += 100ms;
    screen.view->update(pull);
  }
  EXPECT_EQ(screen.terminal.lines()[2], "aaaaaaaaaaa1 [             ]   0%        0 B /  30.0 MiB");
  EXPECT_TRUE(screen.terminal.lines()[3].ends_with("0 B/s")) << "a stall is told by the total";
  have(pull.layers[1]);
  pull.at += 100ms;
  screen.view->update(pull);
  EXPECT_TRUE(screen.terminal.lines()[3].ends_with("60.0 MiB /  60.0 MiB")) << screen.terminal.text();
}

TEST(PlainView, TellsEachLayerOnceAndTheTotalEveryFiveSeconds) {
  Text text(ProgressStyle::automatic);
  ImageProgress pull = image(2, 60 * kMiB);
  have(pull.layers[0]);
  text.view->begin(pull);
  for (int i = 0; i < 120; ++i) {
    pull.at += 100ms;
    arrive(pull.layers[1], kMiB / 2);
    text.view->update(pull);
  }
  text.view->finish(pull, summary());
  EXPECT_EQ(text.written,
            "docker.io/library/nginx:latest linux/amd64: 2 layers, 120.0 MiB\n"
            "aaaaaaaaaaa0 cached, 60.0 MiB\n"
            "total 70%, 85.0 MiB / 120.0 MiB, 5.0 MiB/s, 0:07 left\n"
            "total 91%, 110.0 MiB / 120.0 MiB, 5.0 MiB/s, 0:02 left\n"
            "aaaaaaaaaaa1 done, 60.0 MiB\n" +
                std::string(kReport));
}

TEST(JsonView, TellsOneEventALine) {
  Text text(ProgressStyle::json);
  ImageProgress pull = image(2);
  have(pull.layers[0]);
  text.view->begin(pull);
  while (!all_there(pull)) {
    step(pull);
    text.view->update(pull);
  }
  text.view->finish(pull, summary());
  const std::vector<json> objects = text.objects();
  std::vector<std::string> events;
  for (const json& object : objects) events.push_back(object["event"]);
  EXPECT_EQ(events, (std::vector<std::string>{"image", "layer", "progress", "layer", "done"}));
  EXPECT_EQ(objects[1]["status"], "cached");
  EXPECT_EQ(objects[2]["present_bytes"], 50 * kMiB);
  EXPECT_EQ(objects[3]["status"], "done");
  EXPECT_EQ(objects[4]["saved_bytes"], 60 * kMiB);
  EXPECT_EQ(objects[4]["milliseconds"], 12'400);
  EXPECT_EQ(objects[4]["digest"], digest(7));
}

TEST(JsonView, ReplacesWhatIsNoUtf8) {
  Text text(ProgressStyle::json);
  PullSummary odd = summary();
  odd.path = "\xff.tar";
  text.view->message("a\xffz");
  text.view->finish(image(0), odd);
  text.view->fail(image(0), "b\xc3");
  const std::vector<json> objects = text.objects();
  ASSERT_EQ(objects.size(), 3u);
  EXPECT_EQ(objects[0]["message"], "a\xef\xbf\xbdz");
  EXPECT_EQ(objects[2]["event"], "error");
}

TEST(QuietView, TellsFailuresOnly) {
  for (ProgressStyle style :
       {ProgressStyle::automatic, ProgressStyle::plain, ProgressStyle::json, ProgressStyle::none}) {
    Text text(style, true);
    ImageProgress pull = image(1);
    text.view->begin(pull);
    text.view->message("chatter");
    pull.at += 10s;
    have(pull.layers[0]);
    text.view->update(pull);
    text.view->finish(pull, summary());
    EXPECT_EQ(text.written, "");
    text.view->fail(pull, "regfs-pull: no");
    if (style == ProgressStyle::json) {
      EXPECT_EQ(text.objects().at(0)["message"], "regfs-pull: no");
    } else {
      EXPECT_EQ(text.written, "regfs-pull: no\n");
    }
  }
}

TEST(ReportView, TellsTheReportWithoutProgress) {
  Text text(ProgressStyle::none);
  ImageProgress pull = image(1);
  text.view->begin(pull);
  pull.at += 10s;
  text.view->update(pull);
  text.view->finish(pull, summary());
  EXPECT_EQ(text.written, kReport);
}

TEST(Report, NamesStandardOutputAndFetchesOfNothing) {
  Text text(ProgressStyle::none);
  PullSummary all_cached = summary();
  all_cached.path.clear();
  all_cached.load_line.clear();
  all_cached.saved_bytes = all_cached.layer_bytes;
  text.view->finish(image(0), all_cached);
  EXPECT_NE(text.written.find("time   12.4 s\nfile   standard output, 181.0 MiB\n"), std::string::npos) << text.written;
  EXPECT_EQ(text.written.find("load"), std::string::npos);
}

}  // namespace
}  // namespace regfs::progress_view_test
