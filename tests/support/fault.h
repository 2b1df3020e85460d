// SPDX-License-Identifier: MIT
// What a fake registry does wrong on one path. Positions are those of the entity, not of the answer: a
// ranged answer is hit when it reaches them. Plain data.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "tests/support/http_server.h"
#include "tests/support/journal.h"
#include "tests/support/registry_shelf.h"

namespace regfs::test {

// One request in the hands of a script, which has the wire to itself.
struct ScriptedExchange {
  HttpConnection& client;
  const HttpServerRequest& request;
  const RegistryAnswer& honest;  // what a good registry would say, before any Range
  ByteSpan wanted;               // of the entity: what Range asks for, else all of it
};

struct Fault {
  enum class Kind {
    none,           // all is well
    holds,          // no answer until mended
    stalls,         // sends no byte from the position on until mended
    resets,         // RST at the position
    hangs_up,       // FIN at the position, though more was promised
    cuts,           // promises and sends only what lies before the position
    flips,          // the byte at the position is wrong
    answers,        // a status without the entity
    answers_html,   // 200 and a web page
    ignores_range,  // 200 and the whole entity
    paces,          // the honest answer, late and slow
    speaks          // whatever the script says
  };
  // Writes an answer of its own; false ends the connection. Runs on the connection's thread.
  using Script = std::function<bool(const ScriptedExchange&)>;
  Kind kind = Kind::none;
  uint64_t position = 0;
  int status = 0;
  std::string retry_after = {};
  std::chrono::milliseconds delay{0};  // before the head
  uint64_t bytes_per_second = 0;       // of the body, of each connection; 0: as fast as it goes
  Script script = {};
  // How many requests meet it, which are those that reach the position; then the path is as good as mended.
  int times = kAlways;

  static constexpr int kAlways = -1;
  Fault& only(int requests) {
    times = requests;
    return *this;
  }
};

inline Fault holds() {
  return {.kind = Fault::Kind::holds};
}
inline Fault stalls_at(uint64_t position) {
  return {.kind = Fault::Kind::stalls, .position = position};
}
inline Fault resets_at(uint64_t position) {
  return {.kind = Fault::Kind::resets, .position = position};
}
inline Fault hangs_up_at(uint64_t position) {
  return {.kind = Fault::Kind::hangs_up, .position = position};
}
inline Fault cuts_at(uint64_t position) {
  return {.kind = Fault::Kind::cuts, .position = position};
}
inline Fault flips_byte_at(uint64_t position) {
  return {.kind = Fault::Kind::flips, .position = position};
}
inline Fault answers_html() {
  return {.kind = Fault::Kind::answers_html};
}
inline Fault ignores_range() {
  return {.kind = Fault::Kind::ignores_range};
}
inline Fault paces(std::chrono::milliseconds delay, uint64_t bytes_per_second = 0) {
  return {.kind = Fault::Kind::paces, .delay = delay, .bytes_per_second = bytes_per_second};
}
inline Fault speaks(Fault::Script script) {
  return {.kind = Fault::Kind::speaks, .script = std::move(script)};
}
inline Fault answers(int status, std::string retry_after = {}) {
  return {.kind = Fault::Kind::answers, .status = status, .retry_after = std::move(retry_after)};
}

}  // namespace regfs::test
