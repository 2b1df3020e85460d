// SPDX-License-Identifier: MIT
#include "registry/http_transfer.h"

#include <algorithm>
#include <exception>
#include <vector>

#include "registry/http_loop.h"
#include "registry/tls_trust.h"

namespace regfs::registry {
namespace {

// The most that libcurl reads from a socket at once.
constexpr long kReceiveBufferBytes = 512l << 10;
constexpr long kLowSpeedBytesPerSecond = 1024;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

TransportFailure classify(CURLcode code, std::string_view words) {
  if (code == CURLE_OK) return TransportFailure::none;
  if (code == CURLE_OPERATION_TIMEDOUT) return TransportFailure::timed_out;
  if (code == CURLE_COULDNT_CONNECT) return TransportFailure::refused;
  if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY) return TransportFailure::unresolved;
  if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM ||
      code == CURLE_SSL_CIPHER || code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_INVALIDCERTSTATUS) {
    return TransportFailure::tls;
  }
  if (code == CURLE_SSL_CONNECT_ERROR) return handshake_failure(words);
  if (code == CURLE_RECV_ERROR && wants_certificate(words)) return TransportFailure::tls;
  return TransportFailure::broken;
}

void set_trust(CURL* easy, const TlsSettings& tls, bool show_certificate) {
  if (!tls.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, tls.ca_file.c_str());
  if (!tls.ca_directory.empty()) curl_easy_setopt(easy, CURLOPT_CAPATH, tls.ca_directory.c_str());
  if (!tls.ca_pem.empty()) {
    curl_blob pem{const_cast<char*>(tls.ca_pem.data()), tls.ca_pem.size(), CURL_BLOB_COPY};
    curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &pem);
  }
  if (!show_certificate || tls.client_certificate.empty()) return;
  curl_easy_setopt(easy, CURLOPT_SSLCERT, tls.client_certificate.c_str());
  curl_easy_setopt(easy, CURLOPT_SSLKEY, tls.client_key.c_str());
}

// Two lengths are two places where the next answer might begin; libcurl takes the last.
bool has_two_lengths(const HttpHead& head) {
  std::vector<std::string> lengths = head.headers.all("Content-Length");
  return std::any_of(lengths.begin(), lengths.end(), [&](const std::string& each) { return each != lengths.front(); });
}

curl_socket_t open_socket(void* sockets, curlsocktype /*purpose*/, curl_sockaddr* address) {
  return static_cast<OpenSockets*>(sockets)->open(address->family, address->socktype, address->protocol);
}
int close_socket(void* sockets, curl_socket_t socket) {
  return static_cast<OpenSockets*>(sockets)->close(socket);
}

}  // namespace

Transfer::~Transfer() {
  if (handler_) {
    tell(Error(std::make_error_code(std::errc::not_enough_memory), "out of memory"), TransportFailure::stopped);
  }
}

void Transfer::hand_over() try { stopped_ = !handler_->on_body(pieces_->take()); } catch (const std::exception&) {
  stopped_ = true;
}

void Transfer::finish(CURLcode code) {
  std::string words = error_words_[0] != '\0' ? error_words_ : curl_easy_strerror(code);
  if (stopped_) return finish_as(TransportFailure::stopped, "");
  if (too_many_headers_) return finish_as(TransportFailure::broken, "the header of the answer is too large");
  if (two_lengths_) return finish_as(TransportFailure::broken, "the answer has two different lengths");
  TransportFailure failure = classify(code, words);
  if (failure == TransportFailure::none && !head_told_) {
    return finish_as(TransportFailure::broken, "the answer has no head");
  }
  finish_as(failure, words);
}

void Transfer::finish_as(TransportFailure failure, const std::string& words) {
  if (failure == TransportFailure::none) return tell({}, failure);
  tell(transport_error(failure, host_, words), failure);
}

void Transfer::refuse(const Error& why) {
  const bool untrusted = request_.tls && !request_.tls->problem.empty();
  tell(why, untrusted ? TransportFailure::tls : TransportFailure::broken);
}

void Transfer::tell(Result<void> outcome, TransportFailure failure) {
  try {
    handler_->on_done(std::move(outcome), failure);
  } catch (const std::exception&) {
    // The exception fence of libcurl's callbacks: a handler that throws has had its last call.
  }
  handler_.reset();
}

void Transfer::prepare(CURL* easy, Pieces& pieces, OpenSockets& sockets) {
  easy_ = easy;
  pieces_ = &pieces;
  sockets_ = &sockets;
  error_words_[0] = '\0';
  new_connection_ = left_over_;
  auto set = [easy](auto option, auto value) { curl_easy_setopt(easy, option, value); };
  set(CURLOPT_ERRORBUFFER, error_words_);
  set(CURLOPT_URL, request_.url.c_str());
  set(CURLOPT_PATH_AS_IS, 1l);  // the path may be signed
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0l);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_NOSIGNAL, 1l);
  set(CURLOPT_QUICK_EXIT, 1l);  // else a cancelled request waits for the system's resolver
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1l);
  set(CURLOPT_OPENSOCKETFUNCTION, open_socket);
  set(CURLOPT_OPENSOCKETDATA, sockets_);
  set(CURLOPT_CLOSESOCKETFUNCTION, close_socket);
  set(CURLOPT_CLOSESOCKETDATA, sockets_);
  set(CURLOPT_PREREQFUNCTION, &Transfer::on_connection);
  set(CURLOPT_PREREQDATA, this);
  if (new_connection_) set(CURLOPT_FRESH_CONNECT, 1l);
  set(CURLOPT_TCP_NODELAY, 1l);
  set(CURLOPT_TCP_KEEPALIVE, 1l);
  set(CURLOPT_BUFFERSIZE, kReceiveBufferBytes);
  set(CURLOPT_CONNECTTIMEOUT_MS, std::max<long>(1, static_cast<long>(request_.connect_timeout.count())));
  set(CURLOPT_LOW_SPEED_LIMIT, kLowSpeedBytesPerSecond);
  set(CURLOPT_LOW_SPEED_TIME, std::max<long>(1, static_cast<long>((request_.stall_timeout.count() + 999) / 1000)));
  set(CURLOPT_SSL_VERIFYPEER, request_.verify_tls ? 1l : 0l);
  set(CURLOPT_SSL_VERIFYHOST, request_.verify_tls ? 2l : 0l);
  if (request_.tls) set_trust(easy, *request_.tls, request_.show_certificate);
  std::optional<Origin> origin = origin_of(request_.url);
  if (origin && is_loopback_host(origin->host)) set(CURLOPT_PROXY, "");

  if (request_.method == "HEAD") set(CURLOPT_NOBODY, 1l);
  if (request_.method == "POST") {
    set(CURLOPT_POST, 1l);
    set(CURLOPT_POSTFIELDSIZE, static_cast<long>(request_.body.size()));
    set(CURLOPT_POSTFIELDS, request_.body.c_str());
  }
  curl_slist* list = nullptr;
  for (const auto& [name, value] : request_.headers.fields()) {
    // "name;" is how libcurl spells a header without a value.
    list = curl_slist_append(list, (value.empty() ? name + ";" : name + ": " + value).c_str());
  }
  if (request_.decode_content) {
    set(CURLOPT_ACCEPT_ENCODING, "gzip");
  } else {
    // By header and not by CURLOPT_ACCEPT_ENCODING, which would decode a blob that is labelled gzip.
    list = curl_slist_append(list, "Accept-Encoding: identity");
  }
  list = curl_slist_append(list, "Expect:");  // a POST goes out at once
  headers_.reset(list);
  set(CURLOPT_HTTPHEADER, list);

  set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &Transfer::on_bytes);
  set(CURLOPT_WRITEDATA, this);
}

// A kept connection that speaks before it is asked has more to say to the last request than it announced, and that
// would be taken for the answer to this one. libcurl looks for it from 8.0 on.
bool Transfer::take_connection(const ConnectionAddresses& addresses) try {
  long connects = 0;
  curl_easy_getinfo(easy_, CURLINFO_NUM_CONNECTS, &connects);
  if (connects > 0) return true;
  std::optional<int> socket = sockets_->find(addresses);
  left_over_ = socket && has_unread_input(*socket);
  return !left_over_;
} catch (const std::exception&) {
  return false;
}

bool Transfer::take_header(std::string_view line) try {
  last_byte_ = Monotonic::now();
  header_bytes_ += line.size();
  if (header_bytes_ > kMaxHeaderBytes) {
    too_many_headers_ = true;
    return false;
  }
  if (head_told_) return true;  // a trailer
  if (line.starts_with("HTTP/")) {
    head_ = HttpHead{};
    return true;
  }
  std::string_view text = trimmed(line);
  if (!text.empty()) {
    size_t colon = text.find(':');
    if (colon != std::string_view::npos && colon > 0) {
      head_.headers.add(std::string(trimmed(text.substr(0, colon))), std::string(trimmed(text.substr(colon + 1))));
    }
    return true;
  }
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  if (status < 200) return true;  // interim: the real head follows
  two_lengths_ = has_two_lengths(head_);
  if (two_lengths_) return false;
  head_.status = static_cast<int>(status);
  head_told_ = true;
  stopped_ = !handler_->on_head(head_);
  return !stopped_;
} catch (const std::exception&) {
  return false;
}

bool Transfer::take_bytes(std::span<const std::byte> bytes) try {
  if (!head_told_ || stopped_) return false;
  last_byte_ = Monotonic::now();
  if (!pieces_->takes(this, bytes.size())) {
    pieces_->owner()->hand_over();
    if (stopped_) return false;
  }
  pieces_->add(this, bytes);
  return true;
} catch (const std::exception&) {
  return false;
}

}  // namespace regfs::registry
