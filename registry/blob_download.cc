// SPDX-License-Identifier: MIT
#include "registry/blob_download.h"

#include <exception>

#include "registry/exchange.h"
#include "registry/redirect.h"
#include "registry/refusal.h"
#include "registry/retry.h"
#include "registry/url.h"

namespace regfs::registry {
namespace {

constexpr int kMaxChallenges = 2;

bool is_absent(int status) {
  return status == 404 || status == 410;
}

// A layer that a good manifest names and that is not there is broken content, not an absent name.
Error as_content_error(const Error& error) {
  return error.is(Errc::not_found) ? Error{Errc::missing_content, error.context()} : error;
}

}  // namespace

BlobDownload::BlobDownload(std::shared_ptr<DownloadServices> services, BlobRange range, std::shared_ptr<BodySink> sink,
                           std::function<void()> gone)
    : services_(std::move(services)),
      range_(std::move(range)),
      gone_(std::move(gone)),
      reached_(range_.offset),
      sink_(std::move(sink)) {
  REGFS_CHECK(range_.offset <= range_.size_bytes && range_.length <= range_.size_bytes - range_.offset,
              "a download beyond the end of its blob");
}

void BlobDownload::start() {
  submit(&BlobDownload::begin);
}

template <typename Step>
void BlobDownload::last_if_thrown(Step step) {
  try {
    step();
  } catch (const std::exception& error) {
    services_->log.internal_error("a download", error);
    finish(Error(std::make_error_code(std::errc::not_enough_memory), "out of memory"));
  }
}

void BlobDownload::submit(void (BlobDownload::*step)()) {
  services_->pool.submit(range_.repository.host, [self = shared_from_this(), step] {
    Gate::Pass pass(self->services_->gate);
    if (pass && !self->over()) self->last_if_thrown([&] { ((*self).*step)(); });
  });
}

bool BlobDownload::over() const {
  MutexLock lock(mutex_);
  return over_;
}

// A try from its beginning.
void BlobDownload::begin() {
  if (reached_ == end_offset()) return finish({});
  redirects_ = 0;
  if (foreign_urls_tried_ > 0) return send(range_.urls[foreign_urls_tried_ - 1]);
  Result<std::optional<Secret>> token = services_->tokens.current(range_.repository);
  if (!token) return give_up(token.error());
  token_ = std::move(*token);
  endpoint_ = services_->endpoints.of(range_.repository.host);
  send(endpoint_.url + "/v2/" + range_.repository.name + "/blobs/" + range_.digest.str());
}

void BlobDownload::send(const std::string& url) {
  BlobWant want;
  want.url = url;
  want.size_bytes = range_.size_bytes;
  want.begin = reached_;
  want.end = end_offset();
  want.ranged = !without_range_ && (want.begin > 0 || want.end < want.size_bytes);
  HttpRequest request = request_for(want);
  auto attempt = std::make_shared<BlobAttempt>(std::move(want), shared_from_this());
  Transport::RequestId id = services_->transport.start(std::move(request), std::move(attempt));
  {
    MutexLock lock(mutex_);
    request_ = id;
    if (!over_) return;
  }
  services_->transport.cancel(id);
}

HttpRequest BlobDownload::request_for(const BlobWant& want) const {
  HttpRequest request;
  request.url = want.url;
  request.headers.add("User-Agent", services_->options.user_agent);
  if (want.ranged) {
    // Closed, since some registries answer 416 to an open end.
    request.headers.add("Range", "bytes=" + std::to_string(want.begin) + "-" + std::to_string(want.end - 1));
  }
  bool own = is_own(want.url);
  if (own && token_) request.headers.add("Authorization", token_->reveal());
  services_->endpoints.secure(request, own ? Endpoints::Peer::registry : Endpoints::Peer::other);
  request.connect_timeout = services_->options.connect_timeout;
  request.stall_timeout = services_->options.timeout;
  return request;
}

bool BlobDownload::is_own(const std::string& url) const {
  return foreign_urls_tried_ == 0 && origin_of(url) == origin_of(endpoint_.url);
}

class BlobDownload::Visit {
 public:
  explicit Visit(BlobDownload& download) : download_(download) {
    MutexLock lock(download.mutex_);
    if (download.over_) return;
    download.visitor_ = std::this_thread::get_id();
    sink_ = download.sink_;
  }
  ~Visit() {
    if (!sink_) return;
    MutexLock lock(download_.mutex_);
    download_.visitor_.reset();
    download_.visited_.notify_all();
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

  explicit operator bool() const { return sink_ != nullptr; }
  BodySink* operator->() const { return sink_.get(); }

 private:
  BlobDownload& download_;
  std::shared_ptr<BodySink> sink_;
};

void BlobDownload::began(bool sends_all) {
  if (Visit sink(*this); sink) sink->began(sends_all);
}

std::optional<Result<void>> BlobDownload::take(uint64_t offset, std::span<const std::byte> bytes) {
  Visit sink(*this);
  if (!sink) return std::nullopt;
  return sink->write(offset, bytes);
}

bool BlobDownload::spare(uint64_t offset, std::span<const std::byte> bytes) {
  Visit sink(*this);
  return sink && sink->spare(offset, bytes);
}

void BlobDownload::ended(BlobEnd end) {
  Gate::Pass pass(services_->gate);
  if (!pass || over()) return;
  last_if_thrown([&] {
    services_->pool.submit(range_.repository.host, [self = shared_from_this(), end = std::move(end)]() mutable {
      Gate::Pass inside(self->services_->gate);
      if (inside && !self->over()) self->last_if_thrown([&] { self->decide(std::move(end)); });
    });
  });
}

void BlobDownload::decide(BlobEnd end) {
  if (end.reached > reached_) {
    reached_ = end.reached;
    // Drops that are too few to be a transfer do not make it one.
    if (end.failure != TransportFailure::timed_out) tries_ = 0;
    challenges_ = 0;
    asked_registry_again_ = false;
  }
  if (end.head && is_own(end.want.url)) {
    services_->limits.saw(range_.repository.host, *end.head, services_->tokens.shown(range_.repository).identity);
  }
  if (end.sink_error) return finish(*end.sink_error);
  if (end.too_long || end.wrong_length) {
    const std::string size = std::to_string(range_.size_bytes);
    Error error{Errc::wrong_length, end.too_long ? "more bytes than the " + size + " that it should be"
                                                 : "it is announced with another length than its " + size + " bytes"};
    return foreign_urls_tried_ > 0 ? try_next_url(error) : give_up(error);
  }
  if (reached_ == end_offset()) return finish({});
  if (end.failure == TransportFailure::cancelled) {
    return finish(Error{Errc::shutting_down, "regfs is shutting down"});
  }
  if (end.bad_range) return restart_without_range("a partial answer that is not what was asked for");
  if (end.head) return decide_by_status(end);
  decide_by_failure(end);
}

void BlobDownload::decide_by_status(const BlobEnd& end) {
  int status = end.head->status;
  bool own = is_own(end.want.url);
  bool redirected = !own && foreign_urls_tried_ == 0;
  if (status == 200 || status == 206) {
    if (!end.clean) return decide_by_failure(end);
    return pause_then_retry({Errc::wrong_length, "the body ends after " + std::to_string(reached_) + " of " +
                                                     std::to_string(range_.size_bytes) + " bytes"},
                            end);
  }
  if (is_redirect(status)) return follow(end);
  if (status == 416 && end.want.ranged) return restart_without_range(refusal(end).context());
  if (is_retryable_status(status)) return pause_then_retry(refusal(end), end);
  if (own) services_->endpoints.answered(range_.repository.host, endpoint_, status);
  if (own && is_challenge(status)) return renew_token(end);
  if (redirected && turns_away(status)) return ask_registry_again(end);
  bool urls_left = foreign_urls_tried_ < range_.urls.size();
  if (urls_left && (is_absent(status) || foreign_urls_tried_ > 0)) return try_next_url(refusal(end));
  give_up(refusal(end));
}

void BlobDownload::decide_by_failure(const BlobEnd& end) {
  Error error = end.error.value_or(Error{Errc::bad_response, "the transfer ended without a reason"});
  if (is_own(end.want.url) && services_->endpoints.changed_by_failure(range_.repository.host, endpoint_, end.failure)) {
    return begin();
  }
  if (end.failure == TransportFailure::broken || end.failure == TransportFailure::timed_out) {
    return pause_then_retry(error, end);
  }
  if (foreign_urls_tried_ > 0) return try_next_url(error);
  give_up(error);
}

void BlobDownload::follow(const BlobEnd& end) {
  Result<std::string> target = redirect_target(end.want.url, *end.head, Protects::digest);
  if (!target) return give_up(target.error());
  if (++redirects_ > kMaxRedirects) {
    return give_up({Errc::bad_response,
                    "over " + std::to_string(kMaxRedirects) + " redirects, the last of them to " + redacted(*target)});
  }
  send(*target);
}

void BlobDownload::renew_token(const BlobEnd& end) {
  if (challenges_++ == kMaxChallenges) return give_up(refusal(end));
  Result<std::optional<Secret>> token = services_->tokens.renewed(range_.repository, endpoint_.url, *end.head, token_);
  if (!token) return give_up(token.error());
  if (!token->has_value()) return give_up(refusal(end));
  begin();
}

void BlobDownload::ask_registry_again(const BlobEnd& end) {
  if (asked_registry_again_) return give_up(refusal(end));
  asked_registry_again_ = true;
  begin();
}

void BlobDownload::restart_without_range(const std::string& why) {
  if (without_range_) return give_up({Errc::bad_response, why});
  without_range_ = true;
  begin();
}

void BlobDownload::try_next_url(Error why) {
  if (foreign_urls_tried_ == range_.urls.size()) return give_up(why);
  ++foreign_urls_tried_;
  tries_ = 0;
  without_range_ = false;
  begin();
}

void BlobDownload::pause_then_retry(Error why, const BlobEnd& end) {
  ++tries_;
  std::optional<std::chrono::seconds> retry_after;
  if (end.head) {
    if (std::optional<std::string> value = end.head->headers.first("Retry-After")) {
      retry_after = parse_retry_after(*value, services_->clock.wall_now());
    }
  }
  std::optional<std::chrono::milliseconds> delay =
      next_delay(retry_policy(services_->options), tries_, retry_after, services_->caller.jitter());
  if (!delay) return foreign_urls_tried_ > 0 ? try_next_url(std::move(why)) : give_up(why);
  if (services_->log.debugs()) {
    services_->log.debug(what() + ": " + why.context() + "; goes on at byte " + std::to_string(reached_) + " in " +
                         std::to_string(delay->count()) + " ms");
  }
  if (Visit sink(*this); sink) sink->interrupted();
  Timer::Id id = services_->timer.after(*delay, [self = shared_from_this()] {
    Gate::Pass pass(self->services_->gate);
    if (pass) self->last_if_thrown([&] { self->submit(&BlobDownload::begin); });
  });
  {
    MutexLock lock(mutex_);
    pause_ = id;
    if (!over_) return;
  }
  services_->timer.cancel(id);
}

std::string BlobDownload::what() const {
  return range_.repository.str() + "@" + range_.digest.str();
}

Error BlobDownload::refusal(const BlobEnd& end) const {
  std::optional<Origin> origin = origin_of(end.want.url);
  const bool own = is_own(end.want.url);
  std::string host = own || !origin ? range_.repository.host : origin->authority();
  Shown shown = own ? services_->tokens.shown(range_.repository) : Shown();
  return to_error(
      Refusal{end.head->status, host, range_.repository.host, what(), end.body,
              circumstances(*end.head, std::move(shown), services_->clock.wall_now(), services_->options.timeout)});
}

void BlobDownload::give_up(const Error& why) {
  finish(as_content_error(why).while_doing("fetching it from " + range_.repository.str()));
}

void BlobDownload::finish(Result<void> outcome) {
  std::shared_ptr<BodySink> sink;
  std::optional<Transport::RequestId> request;
  std::optional<Timer::Id> pause;
  {
    MutexLock lock(mutex_);
    if (over_) return;
    over_ = true;
    // A sink that cancels from inside a call of its own is not waited for: it knows.
    while (visitor_ && *visitor_ != std::this_thread::get_id()) visited_.wait(lock);
    sink = std::move(sink_);
    request = request_;
    pause = pause_;
  }
  try {
    if (request) services_->transport.cancel(*request);
  } catch (const std::exception&) {
    // It is refused its next bytes.
  }
  if (pause) services_->timer.cancel(*pause);
  sink->finished(std::move(outcome));
  gone_();
}

}  // namespace regfs::registry
