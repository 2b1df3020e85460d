// SPDX-License-Identifier: MIT
#include "registry/blob_download.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <string>

#include "tests/registry/download_world.h"

namespace regfs::registry::blob_download_test {
namespace {

using namespace std::chrono_literals;
using test::fails;
using test::FakeTransport;
using test::ScriptedAnswer;
using BlobDownloadTest = DownloadTest;

TEST_F(BlobDownloadTest, EndsAtOnceWhenNobodyListens) {
  transport_.on(url_, fails(TransportFailure::refused));
  Result<void> outcome = bring(whole());
  ASSERT_FALSE(outcome);
  EXPECT_TRUE(outcome.error().is(Errc::unreachable));
  EXPECT_EQ(transport_.requests().size(), 1u);
}

TEST_F(BlobDownloadTest, GivesUpAfterFiveTriesWithoutAByte) {
  transport_.on(url_, fails(TransportFailure::broken));
  Result<void> outcome = bring(whole());
  ASSERT_FALSE(outcome);
  EXPECT_TRUE(outcome.error().is(Errc::bad_response));
  EXPECT_EQ(transport_.requests().size(), 5u);
}

TEST_F(BlobDownloadTest, TellsTimeOutsAndServerErrorsApart) {
  transport_.on(url_, fails(TransportFailure::timed_out));
  EXPECT_TRUE(bring(whole()).error().is(Errc::timed_out));

  FakeTransport transport;
  Client client(transport, pool_, timer_, clock_, log_.log(), fast());
  transport.on(url_, {.status = 502});
  auto sink = std::make_shared<MemorySink>();
  client.download(whole(), sink);
  EXPECT_TRUE(sink->wait().error().is(Errc::server_error));
  EXPECT_EQ(transport.requests().size(), 5u);
}

TEST_F(BlobDownloadTest, CallsABlobThatTheRegistryLacksMissingContent) {
  transport_.on(url_, {.status = 404});
  Result<void> outcome = bring(whole());
  ASSERT_FALSE(outcome);
  EXPECT_TRUE(outcome.error().is(Errc::missing_content));
  EXPECT_EQ(transport_.requests().size(), 1u);
}

TEST_F(BlobDownloadTest, DoesNotRetryARefusal) {
  transport_.on(url_, {.status = 403});
  EXPECT_TRUE(bring(whole()).error().is(Errc::forbidden));
  EXPECT_EQ(transport_.requests().size(), 1u);
}

TEST_F(BlobDownloadTest, NeverTakesAnotherStatusForBytes) {
  transport_.on(url_, {.status = 203, .body = blob_});
  EXPECT_TRUE(bring(whole()).error().is(Errc::bad_response));
  EXPECT_EQ(sink_->bytes(), "");
}

TEST_F(BlobDownloadTest, StopsAtTheFirstByteBeyondTheEnd) {
  transport_.on(url_, {.body = blob_ + "x"});
  EXPECT_TRUE(bring(whole()).error().is(Errc::wrong_length));
  EXPECT_LT(sink_->bytes().size(), blob_.size()) << "a blob that is whole would be verified, and served";
}

TEST_F(BlobDownloadTest, TakesNoByteOfABodyThatAnnouncesTooManyBytes) {
  transport_.on(url_, {.headers = {{"Content-Length", "10001"}}, .body = blob_});
  EXPECT_TRUE(bring(whole()).error().is(Errc::wrong_length));
  EXPECT_EQ(sink_->bytes(), "");
}

TEST_F(BlobDownloadTest, CallsABlobThatStaysShortWrongInLength) {
  transport_.on(url_, {.body = blob_.substr(0, 9'000)});
  transport_.on(url_, {.status = 416});
  transport_.on(url_, {.body = blob_.substr(0, 9'000)});
  Result<void> outcome = bring(whole());
  ASSERT_FALSE(outcome);
  EXPECT_TRUE(outcome.error().is(Errc::wrong_length)) << outcome.error().context();
  EXPECT_LE(transport_.requests().size(), 12u);
}

TEST_F(BlobDownloadTest, NeverSplicesAPartialAnswerThatNobodyAskedFor) {
  transport_.on(url_, partial(0, 5'000));
  EXPECT_TRUE(bring(whole()).error().is(Errc::bad_response));
  EXPECT_EQ(sink_->bytes(), "");
}

TEST_F(BlobDownloadTest, NeverSplicesAPartialAnswerOfOtherBytes) {
  for (const char* content_range : {"bytes 4001-9999/10000", "bytes 4000-9999/20000", "bytes 3999-9999/10000",
                                    "bytes 4000-10000/20000", "bytes */10000", "", "items 4000-9999/10000"}) {
    FakeTransport transport;
    Client client(transport, pool_, timer_, clock_, log_.log(), fast());
    auto sink = std::make_shared<MemorySink>();
    transport.on(url_, broken_after(4'000));
    transport.on(url_, {.status = 206, .headers = {{"Content-Range", content_range}}, .body = std::string(6'000, '!')});
    transport.on(url_, full());
    client.download(whole(), sink);
    EXPECT_TRUE(sink->wait()) << content_range;
    EXPECT_EQ(sink->bytes(), blob_) << content_range;
    EXPECT_FALSE(transport.requests()[2].headers.first("Range"));
  }
}

TEST_F(BlobDownloadTest, EndsWithTheErrorOfTheDisk) {
  sink_->disk_error = Error::from_errno(ENOSPC, "writing");
  transport_.on(url_, full());
  Result<void> outcome = bring(whole());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), std::error_code(ENOSPC, std::generic_category()));
  EXPECT_EQ(transport_.requests().size(), 1u);
}

TEST_F(BlobDownloadTest, GivesUpOnAPauseThatIsTooLong) {
  transport_.on(url_, {.status = 429, .headers = {{"Retry-After", "86400"}}});
  EXPECT_TRUE(bring(whole()).error().is(Errc::rate_limited));
  EXPECT_EQ(transport_.requests().size(), 1u);
}

TEST_F(BlobDownloadTest, AsksForAWholeBlobWithoutRange) {
  transport_.on(url_, full());
  ASSERT_TRUE(bring(whole()));
  EXPECT_EQ(sink_->bytes(), blob_);
  EXPECT_EQ(ranges_asked(), Strings{""});
  EXPECT_FALSE(transport_.requests()[0].decode_content);
}

TEST_F(BlobDownloadTest, AsksNothingForAnEmptyRange) {
  EXPECT_TRUE(bring(range(5, 0)));
  EXPECT_TRUE(transport_.requests().empty());
}

TEST_F(BlobDownloadTest, AsksForAPieceByAClosedRange) {
  transport_.on(url_, partial(2'000, 5'000));
  auto sink = std::make_shared<MemorySink>(2'000);
  client_.download(range(2'000, 3'000), sink);
  ASSERT_TRUE(sink->wait());
  EXPECT_EQ(sink->bytes(), blob_.substr(2'000, 3'000));
  EXPECT_EQ(ranges_asked(), Strings{"bytes=2000-4999"});
}

TEST_F(BlobDownloadTest, CutsItsPieceOutOfAnAnswerThatIgnoresTheRange) {
  transport_.on(url_, full());
  auto sink = std::make_shared<MemorySink>(2'500);
  client_.download(range(2'500, 3'100), sink);
  ASSERT_TRUE(sink->wait());
  EXPECT_EQ(sink->bytes(), blob_.substr(2'500, 3'100));
}

TEST_F(BlobDownloadTest, GoesOnAtTheByteReached) {
  transport_.on(url_, broken_after(4'321));
  transport_.on(url_, partial(4'321, 10'000));
  ASSERT_TRUE(bring(whole()));
  EXPECT_EQ(sink_->bytes(), blob_);
  EXPECT_EQ(ranges_asked(), (Strings{"", "bytes=4321-9999"}));
}

TEST_F(BlobDownloadTest, GoesOnAfterACleanButShortAnswer) {
  transport_.on(url_, {.body = blob_.substr(0, 100)});
  transport_.on(url_, partial(100, 700));
  transport_.on(url_, partial(700, 10'000));
  ASSERT_TRUE(bring(whole()));
  EXPECT_EQ(sink_->bytes(), blob_);
}

TEST_F(BlobDownloadTest, CountsItsTriesAnewWhenAByteArrives) {
  transport_.on(url_, broken_after(1'000));
  for (uint64_t at = 1'000; at < 9'000; at += 1'000) {
    for (int i = 0; i < 3; ++i) transport_.on(url_, {.status = 503});
    ScriptedAnswer answer = partial(at, 10'000);
    answer.body.resize(1'000);
    answer.failure = TransportFailure::broken;
    transport_.on(url_, answer);
  }
  transport_.on(url_, partial(9'000, 10'000));
  ASSERT_TRUE(bring(whole()));
  EXPECT_EQ(sink_->bytes(), blob_);
}

TEST_F(BlobDownloadTest, SkipsWhatItHasWhenAResumeIsAnsweredWhole) {
  transport_.on(url_, broken_after(4'321));
  transport_.on(url_, full());
  ASSERT_TRUE(bring(whole()));
  EXPECT_EQ(sink_->bytes(), blob_);
}

TEST_F(BlobDownloadTest, StartsOverOnceWhenAResumeIsRefused) {
  transport_.on(url_, broken_after(4'321));
  transport_.on(url_, {.status = 416, .headers = {{"Content-Length", "10000"}}});
  transport_.on(url_, full());
  ASSERT_TRUE(bring(whole()));
  EXPECT_EQ(sink_->bytes(), blob_);
  EXPECT_EQ(ranges_asked(), (Strings{"", "bytes=4321-9999", ""}));
}

TEST_F(BlobDownloadTest, TakesAWholeBlobWhoseConnectionEndedBadlyAfterTheLastByte) {
  transport_.on(url_, {.headers = {{"Content-Length", std::to_string(blob_.size())}},
                       .body = blob_,
                       .failure = TransportFailure::broken});
  EXPECT_TRUE(bring(whole()));
}

TEST_F(BlobDownloadTest, ABodyWithoutALengthThatDoesNotEndIsCompletedByAnotherRequest) {
  transport_.on(url_, {.body = blob_, .failure = TransportFailure::broken});
  transport_.on(url_, partial(9'999, 10'000));
  EXPECT_TRUE(bring(whole()));
  EXPECT_EQ(sink_->bytes(), blob_);
  EXPECT_EQ(ranges_asked(), (Strings{"", "bytes=9999-9999"}));
}

TEST_F(BlobDownloadTest, PausesAsLongAsTheRegistryAsks) {
  transport_.on(url_, {.status = 429, .headers = {{"Retry-After", "1"}}});
  transport_.on(url_, full());
  Monotonic::time_point before = clock_.now();
  ASSERT_TRUE(bring(whole()));
  EXPECT_GE(clock_.now() - before, 1s);
}

// --- what the sink hears besides ---

TEST_F(BlobDownloadTest, TellsTheSinkThatTheServerSendsAllAndOffersWhatComesBesides) {
  transport_.on(url_, full());
  const auto sink = std::make_shared<MemorySink>(4'000);
  client_.download(range(4'000, 2'000), sink);
  EXPECT_TRUE(sink->wait());
  EXPECT_EQ(sink->bytes(), blob_.substr(4'000, 2'000));
  EXPECT_EQ(sink->begun(), std::vector<bool>{true});
  std::string together(blob_.size(), '-');
  together.replace(4'000, 2'000, sink->bytes());
  for (const auto& [offset, bytes] : sink->spare_bytes()) together.replace(offset, bytes.size(), bytes);
  EXPECT_EQ(together, blob_);
}

TEST_F(BlobDownloadTest, LeavesTheRestOfAnAnswerThatNobodyCanUse) {
  transport_.on(url_, full());
  const auto sink = std::make_shared<MemorySink>(4'000);
  sink->wants_spare = false;
  client_.download(range(4'000, 2'000), sink);
  EXPECT_TRUE(sink->wait());
  EXPECT_EQ(sink->bytes(), blob_.substr(4'000, 2'000));
  EXPECT_LE(sink->spare_bytes().size(), 1u);
}

TEST_F(BlobDownloadTest, TellsTheSinkOfEachAttemptThatBringsBytesAndOfEachPause) {
  transport_.on(url_, broken_after(3'000));
  transport_.on(url_, {.status = 503});
  transport_.on(url_, partial(3'000, 10'000));
  EXPECT_TRUE(bring(whole()));
  EXPECT_EQ(sink_->begun(), (std::vector<bool>{false, false}));
  EXPECT_EQ(sink_->interruptions(), 2u);
}

}  // namespace
}  // namespace regfs::registry::blob_download_test
