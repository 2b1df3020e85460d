// SPDX-License-Identifier: MIT
// One request under way, as libcurl's callbacks see it: its options, its head, its bytes, and how it ends.
//
// Owned by the HttpLoop. Only the http thread uses it, once it has been handed over.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "registry/http.h"
#include "registry/open_sockets.h"
#include "registry/piece_buffer.h"
#include "registry/transport.h"
#include "registry/transport_failure.h"
#include "registry/url.h"

namespace regfs::registry {

class Transfer;
using Pieces = PieceBuffer<Transfer>;

class Transfer {
 public:
  Transfer(HttpRequest request, std::shared_ptr<HttpHandler> handler)
      : request_(std::move(request)), handler_(std::move(handler)), host_(host_in(request_.url)) {}

  // Dropped for want of memory, it says so.
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  const HttpRequest& request() const { return request_; }
  void prepare(CURL* easy, Pieces& pieces, OpenSockets& sockets);
  // Gives the handler what the buffer holds of this transfer.
  void hand_over();
  bool stopped() const { return stopped_; }  // the handler wants no more
  // When it has been silent too long; nullopt before its first byte.
  std::optional<Monotonic::time_point> silent_from() const {
    if (!last_byte_) return std::nullopt;
    return *last_byte_ + request_.stall_timeout;
  }
  // Whether it has not begun, because its connection was not fit for it: prepare() asks for a new one then.
  bool wants_new_connection() const { return left_over_ && !new_connection_; }
  // Tells the handler how it ended, as libcurl sees it, or as a failure of ours with its words.
  void finish(CURLcode code);
  void finish_as(TransportFailure failure, const std::string& words);
  // It was never sent.
  void refuse(const Error& why);

 private:
  struct ListDeleter {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  void tell(Result<void> outcome, TransportFailure failure);

  static int on_connection(void* self, char* peer_ip, char* local_ip, int peer_port, int local_port) {
    bool fit = static_cast<Transfer*>(self)->take_connection(
        {peer_ip, static_cast<uint16_t>(peer_port), local_ip, static_cast<uint16_t>(local_port)});
    return fit ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
  }
  static size_t on_header(char* data, size_t size, size_t count, void* self) {
    return static_cast<Transfer*>(self)->take_header({data, size * count}) ? size * count : 0;
  }
  static size_t on_bytes(char* data, size_t size, size_t count, void* self) {
    return static_cast<Transfer*>(self)->take_bytes(std::as_bytes(std::span(data, size * count))) ? size * count : 0;
  }
  bool take_connection(const ConnectionAddresses& addresses);
  bool take_header(std::string_view line);
  bool take_bytes(std::span<const std::byte> bytes);

  const HttpRequest request_;
  std::shared_ptr<HttpHandler> handler_;
  const std::string host_;
  CURL* easy_ = nullptr;
  Pieces* pieces_ = nullptr;
  OpenSockets* sockets_ = nullptr;
  std::unique_ptr<curl_slist, ListDeleter> headers_;
  char error_words_[CURL_ERROR_SIZE] = {};
  HttpHead head_;
  std::optional<Monotonic::time_point> last_byte_;
  size_t header_bytes_ = 0;
  bool head_told_ = false;
  bool stopped_ = false;
  bool too_many_headers_ = false;
  bool two_lengths_ = false;
  bool left_over_ = false;
  bool new_connection_ = false;
};

}  // namespace regfs::registry
