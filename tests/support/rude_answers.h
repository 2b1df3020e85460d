// SPDX-License-Identifier: MIT
// What servers and the boxes in front of them say that a client must survive: as faults for a FakeRegistry, and as an
// answer of which a test changes one thing. Safe to use from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/fault.h"

namespace regfs::test {

// An answer as it goes over the wire, with all its fields.
struct RawAnswer {
  std::string line = "HTTP/1.1 200 OK";
  std::vector<std::pair<std::string, std::string>> fields = {};
  std::string body = {};

  std::optional<std::string> field(const std::string& name) const;
  RawAnswer& set(const std::string& name, const std::string& value);  // in place of others of that name
  RawAnswer& add(const std::string& name, const std::string& value);
  RawAnswer& remove(const std::string& name);
  RawAnswer& set_body(std::string bytes);  // and its Content-Length
  std::string head() const;                // to the empty line
};

// What a good registry would send: of a blob, the range that is asked for.
RawAnswer honest_answer(const ScriptedExchange& exchange);
// The same as if no range were asked for.
RawAnswer whole_answer(const ScriptedExchange& exchange);
// Head and body; a HEAD is sent no body. False when the client is gone.
bool send_answer(const ScriptedExchange& exchange, const RawAnswer& answer);
// The same with Transfer-Encoding: chunked, without a length.
bool send_in_chunks(const ScriptedExchange& exchange, RawAnswer answer);

// The honest answer, changed.
Fault rewrites(std::function<void(const ScriptedExchange&, RawAnswer&)> change);
// Requests of that method are answered with the status, others honestly.
Fault answers_method(const std::string& method, int status);
Fault redirects_to(const std::string& location);

// send_in_chunks() of the honest answer.
Fault in_chunks();
// HTTP/1.0: without a length, ended by the end of the connection.
Fault in_http_1_0();
// So many 100 and 103 before the answer.
Fault after_interim_answers(int count);
// Nothing but 103, for as long as somebody listens.
Fault interim_answers_for_ever();
// RST, or FIN, in place of an answer.
Fault resets_at_once();
Fault closes_at_once();
// The answer promises to keep the connection, which then ends.
Fault closes_when_idle();
// RST after so many bytes of each body.
Fault resets_after(uint64_t bytes);
// RST at that byte of the entity, to the first request that is for it.
Fault resets_once_at(uint64_t position);
// Bytes that are no HTTP.
Fault babbles(const std::string& bytes);

}  // namespace regfs::test
