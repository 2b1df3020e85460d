// SPDX-License-Identifier: MIT
// Where each byte of an archive comes from: literal bytes (headers, small files, padding), or a blob
// that lies elsewhere and is as large as a layer may be.
//
// Members stand in the order given, each padded to a block of 512 bytes; two zero blocks end the
// archive. So its size and the place of every byte are known before any blob is. Immutable after
// construction, hence safe to use from any thread. Memory grows with the literal bytes and the number
// of members, not with the blobs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace regfs::fs {

// A file whose bytes are not at hand. Blobs are numbered from 0 in the order they appear.
struct BlobMember {
  uint64_t size_bytes;
};

struct TarMember {
  std::string name;                               // a directory's ends in '/'
  std::variant<std::string, BlobMember> content;  // a directory's is the empty string
};

// `length` bytes of blob number `blob` from `offset` on.
struct BlobSlice {
  size_t blob;
  uint64_t offset;
  uint64_t length;

  friend bool operator==(const BlobSlice&, const BlobSlice&) = default;
};

// A run of archive bytes from one source. Never empty.
struct Slice {
  std::string_view bytes;         // literal; owned by the layout, valid while it lives unmoved; empty for a blob
  std::optional<BlobSlice> blob;  // otherwise

  uint64_t length() const { return blob ? blob->length : bytes.size(); }
};

class TarLayout {
 public:
  // The whole archive must fit a signed 64-bit file size; whoever took the sizes from the wire has
  // bounded their sum.
  explicit TarLayout(std::vector<TarMember> members);

  uint64_t size_bytes() const { return size_bytes_; }

  // The bytes [offset, offset + length) in order, clipped to the end of the archive; neighbours are
  // never two literals. Logarithmic in the number of members, plus what is returned.
  std::vector<Slice> slices(uint64_t offset, uint64_t length) const;

  // Where the first byte of that blob stands in the archive.
  uint64_t blob_archive_offset(size_t blob) const;

 private:
  // Literals and blobs in archive order, none empty, no two literals in a row.
  struct Piece {
    uint64_t archive_offset;
    uint64_t length;
    size_t source;  // of a literal: where it starts in literals_; otherwise the blob's number
    bool is_blob;
  };

  void add_literal(std::string_view bytes);
  void add_blob(uint64_t size_bytes);
  void add_padding();

  std::string literals_;                // all literal bytes, one after another
  std::vector<Piece> pieces_;           // by archive_offset
  std::vector<uint64_t> blob_offsets_;  // by blob number; an empty blob has one too
  uint64_t size_bytes_ = 0;
};

}  // namespace regfs::fs
