// SPDX-License-Identifier: MIT
// Where the answer to one read goes.
#pragma once

#include <cstddef>
#include <span>

#include "base/error.h"

namespace regfs::fs {

// Exactly one of the two is called, on any thread. One that is destroyed unanswered answers EIO by itself.
class ReadReply {
 public:
  virtual ~ReadReply() = default;

  virtual void data(
      std::span<const std::byte> bytes) = 0;    // all that was asked for, up to the end; valid in the call only
  virtual void failed(const Error& error) = 0;  // logged already
};

}  // namespace regfs::fs
