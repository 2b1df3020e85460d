// SPDX-License-Identifier: MIT
// One request for (a piece of) a blob: tells the bytes that are wanted from what an answer may hold besides,
// and remembers how it ended. It decides nothing further; BlobDownload does, on a pool thread.
//
// Where no Content-Length says how long the body is, its last byte is held back until it has ended: a body that goes
// on is not what was asked for, though it begin with the right bytes, and what was taken cannot be taken back.
//
// Used by the http thread only, until it hands itself over in on_done().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "registry/transport.h"

namespace regfs::registry {

// What is asked for and what is already there.
struct BlobWant {
  std::string url;
  uint64_t size_bytes = 0;  // of the whole blob
  uint64_t begin = 0;       // the first byte that is missing
  uint64_t end = 0;         // exclusive
  bool ranged = false;      // whether the request has a Range header
};

// How an attempt ended. `head` is there when there was an answer.
struct BlobEnd {
  BlobWant want;
  std::optional<HttpHead> head;
  std::string body;           // of a refusing answer, its beginning
  uint64_t reached = 0;       // the first byte that is still missing
  bool clean = false;         // the answer arrived as its framing said, or all that was wanted had come
  bool bad_range = false;     // a 206 of other bytes than asked for
  bool too_long = false;      // bytes behind the end of the blob
  bool wrong_length = false;  // it announced another number of bytes than it has to have
  std::optional<Error> sink_error;
  std::optional<Error> error;  // the transport's
  TransportFailure failure = TransportFailure::none;
};

// Who hears what comes. Called on the http thread.
class BlobReceiver {
 public:
  virtual ~BlobReceiver() = default;

  // Before the first byte of the blob. `sends_all`: more of it than is wanted.
  virtual void began(bool sends_all) = 0;
  // Bytes that are wanted and stand at `offset` of the blob: the sink's outcome; nullopt: nobody wants them any more.
  virtual std::optional<Result<void>> take(uint64_t offset, std::span<const std::byte> bytes) = 0;
  // Bytes that came besides. False: once all that is wanted is there, the rest may be left.
  virtual bool spare(uint64_t offset, std::span<const std::byte> bytes) = 0;
  virtual void ended(BlobEnd end) = 0;
};

class BlobAttempt : public HttpHandler {
 public:
  BlobAttempt(BlobWant want, std::shared_ptr<BlobReceiver> receiver);

  bool on_head(const HttpHead& head) override;
  bool on_body(std::span<const std::byte> bytes) override;
  void on_done(Result<void> outcome, TransportFailure failure) override;

 private:
  bool take_partial(const HttpHead& head);
  bool take_whole(const HttpHead& head);

  bool hand_on(std::span<const std::byte> bytes);
  bool take_bytes(std::span<const std::byte> bytes);
  bool offer_spare(uint64_t begin, uint64_t end, std::span<const std::byte> bytes);

  const std::shared_ptr<BlobReceiver> receiver_;
  BlobEnd end_;
  bool carries_blob_ = false;  // the body is bytes of the blob, not words
  uint64_t position_ = 0;      // of the next byte of the body, in the blob
  uint64_t body_end_ = 0;      // where the body must end, in the blob
  bool begun_ = false;
  bool spare_wanted_ = true;
  bool length_unknown_ = false;
  std::optional<std::byte> held_back_;
};

}  // namespace regfs::registry
