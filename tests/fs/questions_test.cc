// SPDX-License-Identifier: MIT
#include "fs/questions.h"

#include <gtest/gtest.h>

#include <future>

#include "tests/support/fake_clock.h"
#include "tests/support/memory_log.h"

namespace regfs::fs::questions_test {
namespace {

using namespace std::chrono_literals;
using Asked = Questions<int>;

// Never reached in a good run: a wait that takes so long is a hang.
constexpr auto kHang = 30s;
constexpr auto kLong = 60'000ms;

class QuestionsTest : public ::testing::Test {
 protected:
  ~QuestionsTest() override {
    gate_.set_value();
    questions_->shutdown(Error(Errc::shutting_down, "test"));
    timer_.stop();
    resolvers_.stop();
    replies_.stop();
  }

  std::future<Result<int>> ask(const std::string& what, std::chrono::milliseconds limit, Asked::Work work) {
    return ask_as(next_++, what, limit, std::move(work));
  }
  std::future<Result<int>> ask_as(QuestionId id, const std::string& what, std::chrono::milliseconds limit,
                                  Asked::Work work) {
    auto promise = std::make_shared<std::promise<Result<int>>>();
    std::future<Result<int>> future = promise->get_future();
    questions_->ask(id, what, "host", limit, std::move(work),
                    [promise](Result<int> result) { promise->set_value(std::move(result)); });
    return future;
  }
  // A registry that says nothing until the test ends; `known` is what is remembered.
  Asked::Work stalled(Result<int> known = Error(Errc::unreachable, "not in the cache")) {
    return [this, known](Ask ask) -> Result<int> {
      if (ask == Ask::last_known) return known;
      open_.wait();
      return 1;
    };
  }
  static Asked::Work failing(Errc code, Result<int> known = Error(Errc::unreachable, "not in the cache")) {
    return [=](Ask ask) -> Result<int> {
      if (ask == Ask::last_known) return known;
      return Error(code, "the registry failed");
    };
  }

  static Result<int> get(std::future<Result<int>> future) {
    if (future.wait_for(kHang) != std::future_status::ready) return Error(Errc::invalid_argument, "hangs");
    return future.get();
  }

  SystemClock clock_;
  test::MemoryLog log_{clock_};
  Timer timer_;
  WorkPool resolvers_{"resolve", 4, 2, log_.log()};
  WorkPool replies_{"reply", 1, 1, log_.log()};
  ExpiringMap<std::string, Error> outages_{clock_, 10};
  std::shared_ptr<Asked> questions_ =
      std::make_shared<Asked>(QuestionServices{resolvers_, replies_, timer_, log_.log(), outages_});
  std::promise<void> gate_;
  std::shared_future<void> open_ = gate_.get_future().share();
  QuestionId next_ = 1;
};

TEST_F(QuestionsTest, ASilentRegistryIsATimeOutThatTheLogTells) {
  Result<int> answer = get(ask("looking up a", 20ms, stalled()));
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is(Errc::timed_out));
  EXPECT_EQ(log_.count("looking up a"), 1u);
}

TEST_F(QuestionsTest, AfterATimeOutEveryNameOfThatRegistryIsAnsweredAtOnce) {
  ASSERT_FALSE(get(ask("a", 20ms, stalled())));
  std::atomic<bool> asked{false};
  Result<int> answer = get(ask("b", kLong, [&](Ask ask) -> Result<int> {
    if (ask == Ask::registry) asked = true;
    return Error(Errc::unreachable, "not in the cache");
  }));
  EXPECT_TRUE(answer.error().is(Errc::timed_out));
  EXPECT_FALSE(asked);
}

TEST_F(QuestionsTest, ARefusedConnectionIsRememberedButADefiniteAnswerIsNot) {
  EXPECT_TRUE(get(ask("a", kLong, failing(Errc::not_found))).error().is(Errc::not_found));
  EXPECT_FALSE(outages_.get("host"));
  EXPECT_TRUE(get(ask("b", kLong, failing(Errc::unreachable))).error().is(Errc::unreachable));
  EXPECT_TRUE(outages_.get("host"));
}

TEST_F(QuestionsTest, AnInternalErrorIsAnAnswerAndTheNextTryStartsAnew) {
  auto throwing = [](Ask) -> Result<int> { throw std::runtime_error("square disk"); };
  EXPECT_FALSE(get(ask("a", kLong, throwing)));
  EXPECT_EQ(*get(ask("a", kLong, [](Ask) -> Result<int> { return 42; })), 42);
  EXPECT_TRUE(log_.contains("square disk"));
}

TEST_F(QuestionsTest, AnAnswerThatThrowsLeavesNobodyWaitingWhoAskedTheSame) {
  std::promise<void> both_asked;
  auto slow = [asked = both_asked.get_future().share()](Ask) -> Result<int> {
    asked.wait();
    return 42;
  };
  questions_->ask(next_++, "a", "host", kLong, slow, [](Result<int>) { throw std::bad_alloc(); });
  std::future<Result<int>> second = ask("a", kLong, slow);
  both_asked.set_value();
  EXPECT_EQ(second.wait_for(kHang), std::future_status::ready);
  EXPECT_EQ(*get(ask("a", kLong, [](Ask) -> Result<int> { return 43; })), 43);
}

TEST_F(QuestionsTest, ANameThatDoesNotExistIsNoLineInTheLog) {
  EXPECT_FALSE(get(ask("a", kLong, failing(Errc::not_found))));
  EXPECT_TRUE(log_.lines().empty());
}

TEST_F(QuestionsTest, TheLastKnownAnswerIsServedWhenTheRegistryFails) {
  for (Errc code : {Errc::unreachable, Errc::server_error, Errc::timed_out, Errc::bad_response, Errc::rate_limited}) {
    outages_.drop("host");
    Result<int> answer = get(ask("a", kLong, failing(code, 7)));
    ASSERT_TRUE(answer);
    EXPECT_EQ(*answer, 7);
  }
  EXPECT_TRUE(log_.contains("serving the last known answer"));
}

TEST_F(QuestionsTest, TheLastKnownAnswerIsNotServedAgainstADefiniteOne) {
  EXPECT_TRUE(get(ask("a", kLong, failing(Errc::not_found, 7))).error().is(Errc::not_found));
  EXPECT_TRUE(get(ask("b", kLong, failing(Errc::unauthorized, 7))).error().is(Errc::unauthorized));
}

TEST_F(QuestionsTest, ASilentRegistryDelaysTheLastKnownAnswerByItsPatienceOnly) {
  auto asked = std::chrono::steady_clock::now();
  Result<int> answer = get(ask("a", kLong, stalled(7)));
  ASSERT_TRUE(answer);
  EXPECT_EQ(*answer, 7);
  EXPECT_LT(std::chrono::steady_clock::now() - asked, kRevalidationPatience + 8s);
}

TEST_F(QuestionsTest, EqualQuestionsAreOneRequest) {
  std::atomic<int> requests{0};
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  auto work = [&, released](Ask ask) -> Result<int> {
    if (ask == Ask::last_known) return Error(Errc::unreachable, "not in the cache");
    ++requests;
    released.wait();
    return 42;
  };
  std::vector<std::future<Result<int>>> answers;
  for (int i = 0; i < 64; ++i) answers.push_back(ask("a", kLong, work));
  release.set_value();
  for (auto& answer : answers) EXPECT_EQ(*get(std::move(answer)), 42);
  EXPECT_EQ(requests, 1);
}

TEST_F(QuestionsTest, AnInterruptAnswersOneAskerAndTheRequestGoesOn) {
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  auto work = [released](Ask ask) -> Result<int> {
    if (ask == Ask::last_known) return Error(Errc::unreachable, "not in the cache");
    released.wait();
    return 42;
  };
  auto interrupted = ask_as(100, "a", kLong, work);
  auto patient = ask_as(101, "a", kLong, work);
  questions_->cancel(100);
  EXPECT_TRUE(get(std::move(interrupted)).error().is(Errc::cancelled));
  release.set_value();
  EXPECT_EQ(*get(std::move(patient)), 42);
}

TEST_F(QuestionsTest, AnInterruptThatComesBeforeItsQuestionCounts) {
  questions_->cancel(5);
  EXPECT_TRUE(get(ask_as(5, "a", kLong, stalled())).error().is(Errc::cancelled));
}

TEST_F(QuestionsTest, TheEndOfTheMountAnswersWhatWaitsAndWhatComes) {
  auto waiting = ask("a", kLong, stalled());
  questions_->shutdown(Error(Errc::shutting_down, "the mount is going away"));
  EXPECT_TRUE(get(std::move(waiting)).error().is(Errc::shutting_down));
  EXPECT_TRUE(get(ask("b", kLong, stalled())).error().is(Errc::shutting_down));
}

}  // namespace
}  // namespace regfs::fs::questions_test
