// SPDX-License-Identifier: MIT
#include "tests/support/rude_answers.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <string_view>

namespace regfs::test {
namespace {

constexpr size_t kChunkBytes = 100'000;  // no power of two, so that no boundary of the client's hides a mistake

std::string status_line(int status) {
  return "HTTP/1.1 " + std::to_string(status) +
         (status == 206   ? " Partial Content"
          : status == 200 ? " OK"
                          : " Answer");
}

bool is_named(const std::pair<std::string, std::string>& field, const std::string& name) {
  return std::equal(field.first.begin(), field.first.end(), name.begin(), name.end(), [](char left, char right) {
    const auto lower = [](char letter) {
      return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
    };
    return lower(left) == lower(right);
  });
}

bool wants_body(const ScriptedExchange& exchange) {
  return exchange.request.method != "HEAD";
}

std::string hexadecimal(size_t number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  do text.insert(text.begin(), kDigits[number % 16]);
  while ((number /= 16) > 0);
  return text;
}

}  // namespace

std::optional<std::string> RawAnswer::field(const std::string& name) const {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&name](const auto& each) { return is_named(each, name); });
  return found == fields.end() ? std::nullopt : std::optional(found->second);
}

RawAnswer& RawAnswer::set(const std::string& name, const std::string& value) {
  return remove(name).add(name, value);
}

RawAnswer& RawAnswer::add(const std::string& name, const std::string& value) {
  fields.emplace_back(name, value);
  return *this;
}

RawAnswer& RawAnswer::remove(const std::string& name) {
  std::erase_if(fields, [&name](const auto& each) { return is_named(each, name); });
  return *this;
}

RawAnswer& RawAnswer::set_body(std::string bytes) {
  body = std::move(bytes);
  return set("Content-Length", std::to_string(body.size()));
}

std::string RawAnswer::head() const {
  std::string text = line + "\r\n";
  for (const auto& [name, value] : fields) text += name + ": " + value + "\r\n";
  return text + "\r\n";
}

RawAnswer whole_answer(const ScriptedExchange& exchange) {
  RawAnswer answer{.line = status_line(exchange.honest.status), .fields = exchange.honest.headers};
  answer.set_body(bytes_of(*exchange.honest.body));
  return answer;
}

RawAnswer honest_answer(const ScriptedExchange& exchange) {
  if (exchange.honest.status != 200 || !exchange.request.headers.contains("range")) return whole_answer(exchange);
  RawAnswer answer{.line = status_line(206), .fields = exchange.honest.headers};
  answer.set("Content-Range", "bytes " + std::to_string(exchange.wanted.begin) + "-" +
                                  std::to_string(exchange.wanted.end - 1) + "/" +
                                  std::to_string(exchange.honest.body->size_bytes()));
  answer.set_body(bytes_of(*exchange.honest.body, exchange.wanted.begin, exchange.wanted.length()));
  return answer;
}

bool send_answer(const ScriptedExchange& exchange, const RawAnswer& answer) {
  return exchange.client.send(answer.head()) && (!wants_body(exchange) || exchange.client.send(answer.body));
}

bool send_in_chunks(const ScriptedExchange& exchange, RawAnswer answer) {
  answer.remove("Content-Length").set("Transfer-Encoding", "chunked");
  if (!exchange.client.send(answer.head())) return false;
  if (!wants_body(exchange)) return true;
  for (std::string_view rest = answer.body; !rest.empty();) {
    const std::string_view chunk = rest.substr(0, kChunkBytes);
    rest.remove_prefix(chunk.size());
    if (!exchange.client.send(hexadecimal(chunk.size()) + "\r\n" + std::string(chunk) + "\r\n")) return false;
  }
  return exchange.client.send("0\r\n\r\n");
}

Fault rewrites(std::function<void(const ScriptedExchange&, RawAnswer&)> change) {
  return speaks([change = std::move(change)](const ScriptedExchange& exchange) {
    RawAnswer answer = honest_answer(exchange);
    change(exchange, answer);
    return send_answer(exchange, answer);
  });
}

Fault answers_method(const std::string& method, int status) {
  return rewrites([method, status](const ScriptedExchange& exchange, RawAnswer& answer) {
    if (exchange.request.method == method) answer = RawAnswer{.line = status_line(status)}.set_body("");
  });
}

Fault redirects_to(const std::string& location) {
  return rewrites([location](const ScriptedExchange&, RawAnswer& answer) {
    answer = RawAnswer{.line = status_line(307)}.set("Location", location).set_body("");
  });
}

Fault in_chunks() {
  return speaks([](const ScriptedExchange& exchange) { return send_in_chunks(exchange, honest_answer(exchange)); });
}

Fault in_http_1_0() {
  return speaks([](const ScriptedExchange& exchange) {
    RawAnswer answer = honest_answer(exchange);
    answer.remove("Content-Length").line.replace(0, 8, "HTTP/1.0");
    send_answer(exchange, answer);
    return false;
  });
}

Fault after_interim_answers(int count) {
  return speaks([count](const ScriptedExchange& exchange) {
    for (int each = 0; each < count; ++each) {
      if (!exchange.client.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"))
        return false;
    }
    return send_answer(exchange, honest_answer(exchange));
  });
}

Fault interim_answers_for_ever() {
  return speaks([](const ScriptedExchange& exchange) {
    while (exchange.client.send("HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n")) {
    }
    return false;
  });
}

Fault resets_at_once() {
  return speaks([](const ScriptedExchange& exchange) {
    exchange.client.end_with_reset();
    return false;
  });
}

Fault closes_at_once() {
  return speaks([](const ScriptedExchange&) { return false; });
}

Fault closes_when_idle() {
  return speaks([](const ScriptedExchange& exchange) {
    send_answer(exchange, honest_answer(exchange));
    return false;
  });
}

Fault resets_after(uint64_t bytes) {
  return speaks([bytes](const ScriptedExchange& exchange) {
    const RawAnswer answer = honest_answer(exchange);
    if (answer.body.size() <= bytes) return send_answer(exchange, answer);
    if (exchange.client.send(answer.head())) exchange.client.send(std::string_view(answer.body).substr(0, bytes));
    exchange.client.end_with_reset();
    return false;
  });
}

Fault resets_once_at(uint64_t position) {
  return speaks([position, met = std::make_shared<std::atomic<bool>>(false)](const ScriptedExchange& exchange) {
    const RawAnswer answer = honest_answer(exchange);
    const bool is_for_it = exchange.wanted.begin <= position && position < exchange.wanted.end;
    if (!is_for_it || met->exchange(true)) return send_answer(exchange, answer);
    if (exchange.client.send(answer.head())) {
      exchange.client.send(std::string_view(answer.body).substr(0, position - exchange.wanted.begin));
    }
    exchange.client.end_with_reset();
    return false;
  });
}

Fault babbles(const std::string& bytes) {
  return speaks([bytes](const ScriptedExchange& exchange) {
    exchange.client.send(bytes);
    return false;
  });
}

}  // namespace regfs::test
