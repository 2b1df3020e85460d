// SPDX-License-Identifier: MIT
#include "registry/client.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/registry/download_world.h"

namespace regfs::registry::client_test {
namespace {

using test::ScriptedAnswer;
using ClientTest = DownloadTest;

TEST_F(ClientTest, TellsTheSinkWhenItIsCancelled) {
  transport_.on(url_, test::held());
  Client::DownloadId id = client_.download(whole(), sink_);
  transport_.wait_until_held(1);
  client_.cancel(id);
  EXPECT_TRUE(sink_->wait().error().is(Errc::cancelled));
}

TEST_F(ClientTest, WritesNothingMoreToASinkThatCancelsFromInsideAWrite) {
  ScriptedAnswer answer = full();
  answer.holds = true;
  transport_.on(url_, answer);
  Client::DownloadId id = 0;
  auto sink = std::make_shared<CancellingSink>([&] { client_.cancel(id); });
  id = client_.download(whole(), sink);
  transport_.wait_until_held(1);
  transport_.release();
  EXPECT_TRUE(sink->wait().error().is(Errc::cancelled));
  EXPECT_EQ(sink->writes(), 1);
}

TEST_F(ClientTest, WaitsForAWriteBeforeItTellsTheSinkOfACancel) {
  Mutex mutex;
  CondVar changed;
  bool inside = false;
  bool go_on = false;
  sink_->before_write = [&] {
    MutexLock lock(mutex);
    inside = true;
    changed.notify_all();
    while (!go_on) changed.wait(lock);
  };
  transport_.on(url_, full());
  Client::DownloadId id = client_.download(whole(), sink_);
  {
    MutexLock lock(mutex);
    while (!inside) changed.wait(lock);
  }
  std::thread cancelling([&] { client_.cancel(id); });
  {
    MutexLock lock(mutex);
    go_on = true;
    changed.notify_all();
  }
  cancelling.join();
  Result<void> outcome = sink_->wait();
  EXPECT_TRUE(outcome || outcome.error().is(Errc::cancelled)) << "the write may have been the last one";
}

TEST_F(ClientTest, EndsEverythingAtShutdown) {
  transport_.on(url_, test::held());
  transport_.on("https://reg.example/v2/acme/api/tags/list", test::held());
  client_.download(whole(), sink_);
  Result<TagList> tags = TagList();
  std::thread listing([&] { tags = client_.tags({"reg.example", "acme/api"}); });
  transport_.wait_until_held(2);
  client_.shutdown();
  listing.join();
  EXPECT_TRUE(sink_->wait().error().is(Errc::shutting_down));
  ASSERT_FALSE(tags);
  EXPECT_TRUE(tags.error().is(Errc::shutting_down));
}

TEST_F(ClientTest, EndsAPauseAtShutdown) {
  transport_.on(url_, {.status = 429, .headers = {{"Retry-After", "20"}}});
  client_.download(whole(), sink_);
  while (!log_.contains("goes on at byte 0")) std::this_thread::yield();
  client_.shutdown();
  EXPECT_TRUE(sink_->wait().error().is(Errc::shutting_down));
}

TEST_F(ClientTest, RefusesWhatIsAskedAfterShutdown) {
  client_.shutdown();
  EXPECT_TRUE(bring(whole()).error().is(Errc::shutting_down));
  EXPECT_TRUE(client_.tags({"reg.example", "a"}).error().is(Errc::shutting_down));
  EXPECT_TRUE(transport_.requests().empty());
}

TEST_F(ClientTest, TellsTheSinkAtShutdownThoughThePoolHasStopped) {
  transport_.on(url_, test::held());
  client_.download(whole(), sink_);
  transport_.wait_until_held(1);
  pool_.stop();
  client_.shutdown();
  EXPECT_TRUE(sink_->wait().error().is(Errc::shutting_down));
  auto late = std::make_shared<MemorySink>();
  client_.download(whole(), late);
  EXPECT_TRUE(late->wait().error().is(Errc::shutting_down));
}

}  // namespace
}  // namespace regfs::registry::client_test
