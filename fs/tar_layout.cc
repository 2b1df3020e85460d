// SPDX-License-Identifier: MIT
#include "fs/tar_layout.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "fs/tar_header.h"

namespace regfs::fs {
namespace {

constexpr uint64_t kMaxArchiveBytes = std::numeric_limits<int64_t>::max();
constexpr size_t kEndBytes = 2 * kTarBlockBytes;

uint64_t padding_after(uint64_t bytes) {
  return (kTarBlockBytes - bytes % kTarBlockBytes) % kTarBlockBytes;
}

std::string_view text_of(const TarHeader& header) {
  return {header.data(), header.size()};
}

}  // namespace

TarLayout::TarLayout(std::vector<TarMember> members) {
  for (const TarMember& member : members) {
    if (const auto* blob = std::get_if<BlobMember>(&member.content)) {
      add_literal(text_of(tar_header(member.name, blob->size_bytes)));
      add_blob(blob->size_bytes);
    } else {
      const auto& bytes = std::get<std::string>(member.content);
      add_literal(text_of(tar_header(member.name, bytes.size())));
      add_literal(bytes);
    }
    add_padding();
  }
  add_literal(std::string(kEndBytes, '\0'));
}

void TarLayout::add_literal(std::string_view bytes) {
  if (bytes.empty()) return;
  REGFS_CHECK(bytes.size() <= kMaxArchiveBytes - size_bytes_, "an archive must fit a signed 64-bit size");
  if (pieces_.empty() || pieces_.back().is_blob) pieces_.push_back({size_bytes_, 0, literals_.size(), false});
  pieces_.back().length += bytes.size();
  literals_ += bytes;
  size_bytes_ += bytes.size();
}

void TarLayout::add_blob(uint64_t size_bytes) {
  REGFS_CHECK(size_bytes <= kMaxArchiveBytes - size_bytes_, "an archive must fit a signed 64-bit size");
  if (size_bytes > 0) pieces_.push_back({size_bytes_, size_bytes, blob_offsets_.size(), true});
  blob_offsets_.push_back(size_bytes_);
  size_bytes_ += size_bytes;
}

void TarLayout::add_padding() {
  add_literal(std::string(padding_after(size_bytes_), '\0'));
}

std::vector<Slice> TarLayout::slices(uint64_t offset, uint64_t length) const {
  std::vector<Slice> result;
  if (offset >= size_bytes_) return result;
  const uint64_t end = offset + std::min(length, size_bytes_ - offset);
  auto piece = std::prev(std::ranges::upper_bound(pieces_, offset, {}, &Piece::archive_offset));
  while (offset < end) {
    const uint64_t within = offset - piece->archive_offset;
    const uint64_t taken = std::min(end - offset, piece->length - within);
    if (piece->is_blob) {
      result.push_back({{}, BlobSlice{piece->source, within, taken}});
    } else {
      result.push_back({std::string_view(literals_).substr(piece->source + within, taken), std::nullopt});
    }
    offset += taken;
    ++piece;
  }
  return result;
}

uint64_t TarLayout::blob_archive_offset(size_t blob) const {
  REGFS_CHECK(blob < blob_offsets_.size(), "no blob of that number in the archive");
  return blob_offsets_[blob];
}

}  // namespace regfs::fs
