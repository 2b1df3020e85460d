// SPDX-License-Identifier: MIT
// Joins the pieces of 16 KiB in which libcurl hands out what it has read from a socket, so that a sink sees few large
// ones: a write to the cache costs the same for each call, and large ones get large pages.
//
// Holds pieces of one transfer at a time, and for no longer than the turn of the loop in which they came. Of the http
// thread only.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>

namespace regfs::registry {

template <typename Owner>
class PieceBuffer {
 public:
  // What libcurl reads at once (CURLOPT_BUFFERSIZE's largest).
  static constexpr size_t kBytes = 512u << 10;

  Owner* owner() const { return owner_; }  // null: empty
  bool takes(const Owner* owner, size_t bytes) const {
    return owner_ == nullptr ? bytes <= kBytes : owner_ == owner && bytes <= kBytes - size_;
  }
  // takes() has said yes.
  void add(Owner* owner, std::span<const std::byte> piece) {
    owner_ = owner;
    std::memcpy(bytes_.get() + size_, piece.data(), piece.size());
    size_ += piece.size();
  }
  // All of it, good until the next add(); the buffer is empty from now on.
  std::span<const std::byte> take() {
    const std::span<const std::byte> taken(bytes_.get(), size_);
    owner_ = nullptr;
    size_ = 0;
    return taken;
  }

 private:
  const std::unique_ptr<std::byte[]> bytes_ = std::make_unique<std::byte[]>(kBytes);
  Owner* owner_ = nullptr;
  size_t size_ = 0;
};

}  // namespace regfs::registry
