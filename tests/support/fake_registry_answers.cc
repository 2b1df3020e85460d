// SPDX-License-Identifier: MIT
// How FakeRegistry answers; fake_registry.cc is how a test sets it up.
#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"
#include "tests/support/fake_registry.h"

namespace regfs::test {
namespace {

constexpr uint64_t kPieceBytes = 256 << 10;
constexpr int kPacedPiecesPerSecond = 50;  // a slow body comes in so many pieces
constexpr const char* kWebPage = "<!DOCTYPE html><html><body>Please sign in to the guest network.</body></html>\n";

std::string_view reason(int status) {
  switch (status) {
    case 200: return "OK";
    case 206: return "Partial Content";
    case 307: return "Temporary Redirect";
    case 401: return "Unauthorized";
    case 404: return "Not Found";
    case 416: return "Range Not Satisfiable";
    case 429: return "Too Many Requests";
    default: return "Answer";
  }
}

std::optional<std::string> header(const HttpServerRequest& request, const std::string& name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? std::nullopt : std::optional(found->second);
}

bool is_blob(const std::string& path) {
  return path.find("/blobs/") != std::string::npos;
}

// "bytes=FIRST-LAST" or "bytes=FIRST-" of an entity; an empty span when it asks beyond the end, nullopt
// when it is another form, which a server may ignore.
std::optional<ByteSpan> parse_range(const std::string& range, uint64_t size_bytes) {
  constexpr std::string_view kUnit = "bytes=";
  if (!range.starts_with(kUnit)) return std::nullopt;
  const char* const end = range.data() + range.size();
  uint64_t first = 0;
  const auto [dash, error] = std::from_chars(range.data() + kUnit.size(), end, first);
  if (error != std::errc() || dash == end || *dash != '-') return std::nullopt;
  uint64_t last = size_bytes - 1;
  if (dash + 1 != end && std::from_chars(dash + 1, end, last).ec != std::errc()) return std::nullopt;
  if (first >= size_bytes || last < first) return ByteSpan{};
  return ByteSpan{first, std::min(last + 1, size_bytes)};
}

// Whether the answer gets to the fault's position: a request for what lies before does not meet it.
bool reaches(const HttpServerRequest& request, const Fault& fault) {
  const auto range = header(request, "range");
  const auto wanted = range ? parse_range(*range, UINT64_MAX) : std::nullopt;
  return !wanted || wanted->end > fault.position;
}

// The text behind "scope=", with its %XX as characters.
std::string scope_of(const std::string& query) {
  std::string scope;
  const size_t begin = query.find("scope=");
  if (begin == std::string::npos) return scope;
  for (size_t at = begin + 6; at < query.size() && query[at] != '&'; ++at) {
    unsigned code = 0;
    if (query[at] == '%' && at + 2 < query.size() &&
        std::from_chars(query.data() + at + 1, query.data() + at + 3, code, 16).ec == std::errc()) {
      scope += static_cast<char>(code);
      at += 2;
    } else {
      scope += query[at];
    }
  }
  return scope;
}

std::string repository_of(const std::string& path) {
  for (const char* const word : {"/manifests/", "/blobs/", "/tags/list"}) {
    if (const size_t at = path.rfind(word); at != std::string::npos && at >= 4) return path.substr(4, at - 4);
  }
  return {};
}

bool refreshes(const HttpServerRequest& request, const std::string& refresh_token) {
  return request.method == "POST" && request.body.find("grant_type=refresh_token") != std::string::npos &&
         ("&" + request.body + "&").find("&refresh_token=" + refresh_token + "&") != std::string::npos;
}

// Good for one scope only, and plain enough to stand in a header.
std::string token_for(std::string scope) {
  for (char& letter : scope) {
    if (letter == ':' || letter == '/') letter = '-';
  }
  return "token-for-" + scope;
}

}  // namespace

// One request on its way back.
struct FakeRegistry::Answering {
  HttpConnection& client;
  const HttpServerRequest& request;
  Journal::EntryId entry;
  Fault fault;
  RegistryAnswer answer = {};
  ByteSpan span = {};

  bool has(Fault::Kind kind) const { return fault.kind == kind; }
};

bool FakeRegistry::serve(HttpConnection& client, const HttpServerRequest& request) {
  const Journal::EntryId entry = journal_.begin({.method = request.method,
                                                 .path = request.path,
                                                 .query = request.query,
                                                 .range = header(request, "range"),
                                                 .authorized = header(request, "authorization").has_value(),
                                                 .authorization = header(request, "authorization").value_or(""),
                                                 .cookie = header(request, "cookie").has_value(),
                                                 .form = request.body});
  Answering answering{client, request, entry, meet_fault(request)};
  if (answering.has(Fault::Kind::holds)) {
    if (!wait_until_mended(request.path)) return false;
    answering.fault = {};
  }
  if (answering.has(Fault::Kind::paces) && !pause(answering.fault.delay)) return false;
  answering.answer = decide(request, answering.fault);
  if (answering.has(Fault::Kind::speaks)) return speak(answering);
  return send_answer(answering) && header(request, "connection").value_or("") != "close";
}

RegistryAnswer FakeRegistry::decide(const HttpServerRequest& request, const Fault& fault) {
  if (fault.kind == Fault::Kind::answers_html) {
    return {200, {{"Content-Type", "text/html; charset=utf-8"}}, kept_bytes(kWebPage)};
  }
  if (fault.kind == Fault::Kind::answers) {
    RegistryAnswer answer = error_answer(fault.status, "BROKEN", "this path is broken on purpose");
    if (!fault.retry_after.empty()) answer.headers.emplace_back("Retry-After", fault.retry_after);
    return answer;
  }
  MutexLock lock(mutex_);
  if (auto moved = redirects_.find(request.path); moved != redirects_.end()) {
    return {307, {{"Location", moved->second}, {"Set-Cookie", "session=cookie-secret"}}, kept_bytes("")};
  }
  if (auto answer = guard(request)) return *std::move(answer);
  if (auto answer = token_dance(request)) return *std::move(answer);
  if (!blob_host_.empty() && is_blob(request.path)) {
    return {307, {{"Location", "http://" + blob_host_ + request.path}}, kept_bytes("")};
  }
  return shelf_.answer(request);
}

std::optional<RegistryAnswer> FakeRegistry::guard(const HttpServerRequest& request) const {
  if (!basic_login_ || header(request, "authorization").value_or("") == *basic_login_) return std::nullopt;
  RegistryAnswer answer = error_answer(401, "UNAUTHORIZED", "authentication required");
  answer.headers.emplace_back("WWW-Authenticate", "Basic realm=\"fake\"");
  return answer;
}

std::optional<RegistryAnswer> FakeRegistry::token_dance(const HttpServerRequest& request) const {
  if (!wants_token_) return std::nullopt;
  if (request.path == "/token") {
    if (ready_token_ || (refresh_token_ && !refreshes(request, *refresh_token_))) {
      return error_answer(401, "UNAUTHORIZED", "no such refresh token");
    }
    if (token_login_ && header(request, "authorization").value_or("") != *token_login_) {
      return error_answer(401, "UNAUTHORIZED", "incorrect username or password");
    }
    return RegistryAnswer{200,
                          {{"Content-Type", "application/json"}},
                          kept_bytes(R"({"token":")" + token_for(scope_of(request.query + request.body)) +
                                     std::string(token_age_, 'x') + R"(","expires_in":300})")};
  }
  const std::string repository = repository_of(request.path);
  const std::string scope = repository.empty() ? "" : "repository:" + repository + ":pull";
  const std::string good = ready_token_ ? *ready_token_ : token_for(scope) + std::string(token_age_, 'x');
  if (header(request, "authorization").value_or("") == "Bearer " + good) {
    return std::nullopt;
  }
  RegistryAnswer answer = error_answer(401, "UNAUTHORIZED", "authentication required");
  answer.headers.emplace_back("WWW-Authenticate",
                              "Bearer realm=\"" + (realm_.empty() ? "http://" + host() + "/token" : realm_) +
                                  "\",service=\"fake\"" + (scope.empty() ? "" : ",scope=\"" + scope + "\""));
  return answer;
}

bool FakeRegistry::speak(Answering& answering) {
  const uint64_t size_bytes = answering.answer.body->size_bytes();
  answering.span = {0, size_bytes};
  if (const auto range = header(answering.request, "range")) {
    answering.span = parse_range(*range, size_bytes).value_or(answering.span);
  }
  journal_.answered(answering.entry, answering.answer.status, answering.span);
  return answering.fault.script({answering.client, answering.request, answering.answer, answering.span});
}

bool FakeRegistry::pause(std::chrono::steady_clock::duration time) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  MutexLock lock(mutex_);
  while (!refusing_ && std::chrono::steady_clock::now() < deadline) changed_.wait_until(lock, deadline);
  return !refusing_;
}

bool FakeRegistry::send_answer(Answering& answering) {
  RegistryAnswer& answer = answering.answer;
  REGFS_CHECK(answer.body != nullptr, "a fake answer has no body");
  const uint64_t size_bytes = answer.body->size_bytes();
  answering.span = {0, size_bytes};
  const auto range = header(answering.request, "range");
  if (range && answer.status == 200 && is_blob(answering.request.path) && !answering.has(Fault::Kind::ignores_range)) {
    if (const auto wanted = parse_range(*range, size_bytes)) {
      answering.span = *wanted;
      answer.status = wanted->length() == 0 ? 416 : 206;
    }
  }
  if (answering.has(Fault::Kind::cuts)) {
    answering.span.end = std::clamp(answering.fault.position, answering.span.begin, answering.span.end);
  }

  std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " " + std::string(reason(answer.status)) + "\r\n";
  for (const auto& [name, value] : answer.headers) head += name + ": " + value + "\r\n";
  if (answer.status == 206) {
    head += "Content-Range: bytes " + std::to_string(answering.span.begin) + "-" +
            std::to_string(answering.span.end - 1) + "/" + std::to_string(size_bytes) + "\r\n";
  }
  head += "Docker-Distribution-Api-Version: registry/2.0\r\n";
  head += "Content-Length: " + std::to_string(answering.span.length()) + "\r\n\r\n";
  journal_.answered(answering.entry, answer.status, answering.span);
  if (!answering.client.send(head)) return false;
  return answering.request.method == "HEAD" || send_body(answering);
}

bool FakeRegistry::send_body(Answering& answering) {
  const uint64_t position = answering.fault.position;
  const bool breaks_off =
      answering.has(Fault::Kind::stalls) || answering.has(Fault::Kind::resets) || answering.has(Fault::Kind::hangs_up);
  bool broken_off = false;
  const uint64_t pace = answering.has(Fault::Kind::paces) ? answering.fault.bytes_per_second : 0;
  const uint64_t piece_bytes = pace > 0 ? std::max<uint64_t>(pace / kPacedPiecesPerSecond, 1) : kPieceBytes;
  auto due = std::chrono::steady_clock::now();
  std::string piece;
  for (uint64_t at = answering.span.begin; at < answering.span.end; at += piece.size()) {
    if (breaks_off && !broken_off && at >= position) {
      if (answering.has(Fault::Kind::resets)) answering.client.end_with_reset();
      if (!answering.has(Fault::Kind::stalls) || !wait_until_mended(answering.request.path)) return false;
      broken_off = true;
    }
    uint64_t end = std::min(at + piece_bytes, answering.span.end);
    if (breaks_off && !broken_off) end = std::min(end, position);
    piece.resize(static_cast<size_t>(end - at));
    answering.answer.body->read(at, std::as_writable_bytes(std::span(piece.data(), piece.size())));
    if (answering.has(Fault::Kind::flips) && at <= position && position < end) {
      piece[static_cast<size_t>(position - at)] ^= 1;
    }
    if (pace > 0) {
      due += std::chrono::nanoseconds(piece.size() * 1'000'000'000 / pace);
      if (!pause(due - std::chrono::steady_clock::now())) return false;
    }
    if (!answering.client.send(piece)) return false;
    journal_.sent(answering.entry, piece.size());
  }
  return true;
}

Fault FakeRegistry::meet_fault(const HttpServerRequest& request) {
  const std::string& path = request.path;
  MutexLock lock(mutex_);
  for (auto& [pattern, fault] : faults_) {
    const bool prefix = pattern.ends_with('*');
    if (prefix ? faults_.contains(path) || !path.starts_with(pattern.substr(0, pattern.size() - 1)) : pattern != path) {
      continue;
    }
    if (fault.times == 0 || !reaches(request, fault)) return {};
    if (fault.times > 0) --fault.times;
    return fault;
  }
  return {};
}

bool FakeRegistry::wait_until_mended(const std::string& path) {
  MutexLock lock(mutex_);
  ++waiting_;
  changed_.notify_all();
  while (broken(path) && !refusing_) changed_.wait(lock);
  --waiting_;
  return !refusing_;
}

bool FakeRegistry::broken(const std::string& path) const {
  return std::any_of(faults_.begin(), faults_.end(), [&path](const auto& entry) {
    const std::string& pattern = entry.first;
    return pattern == path || (pattern.ends_with('*') && path.starts_with(pattern.substr(0, pattern.size() - 1)));
  });
}

}  // namespace regfs::test
