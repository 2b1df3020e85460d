// SPDX-License-Identifier: MIT
// The answer to one request of the kernel, given exactly once: move-only, used up by answering; one that
// is dropped answers EIO. Any thread; never with a lock held, because the answer may let the kernel
// forget the inode at once.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "base/error.h"
#include "fs/filesystem.h"
#include "fs/read_reply.h"

struct fuse_req;
struct fuse_file_info;
struct stat;
struct statvfs;

namespace regfs::fs {

// Owner of every node: who mounted.
struct Owner {
  unsigned user;
  unsigned group;
};

struct stat to_stat(const Attributes& attributes, const Owner& owner);

class FuseReply {
 public:
  explicit FuseReply(fuse_req* request) : request_(request) {}
  FuseReply(FuseReply&& other) noexcept : request_(std::exchange(other.request_, nullptr)) {}
  FuseReply& operator=(FuseReply&&) = delete;
  ~FuseReply();

  // An interrupt of this request cancels question `id` of the FuseContext's filesystem. Call it before the
  // question is asked, with no lock held: it may call back at once.
  void interrupts(QuestionId id);

  // Forgets the lookup again if the kernel is not there to take it.
  void entry(Filesystem& filesystem, const Entry& entry, const Owner& owner);
  void attributes(const Attributes& attributes, const Owner& owner);
  // False when the kernel did not take the handle: the caller closes it again.
  bool opened(const fuse_file_info& file);
  void data(std::span<const std::byte> bytes);
  void statistics(const struct statvfs& statistics);
  void attribute_names_size(size_t bytes);
  void ok() { error_number(0); }
  void failed(const Error& error);
  void error_number(int errno_value);

 private:
  fuse_req* take() { return std::exchange(request_, nullptr); }

  fuse_req* request_;  // null once answered
};

class FuseReadReply : public ReadReply {
 public:
  explicit FuseReadReply(FuseReply reply) : reply_(std::move(reply)) {}
  void data(std::span<const std::byte> bytes) override { reply_.data(bytes); }
  void failed(const Error& error) override { reply_.failed(error); }

 private:
  FuseReply reply_;
};

// The two entries of a directory buffer; each returns the bytes that the entry needs, and has written it
// if that is at most `room`.
size_t add_name(fuse_req* request, std::span<char> room, const char* name, const Filesystem::Named& named,
                off_t next_offset);
size_t add_entry(fuse_req* request, std::span<char> room, const char* name, const Entry& entry, const Owner& owner,
                 off_t next_offset);
// An entry without attributes: the kernel asks for them when it needs them.
size_t add_bare_entry(fuse_req* request, std::span<char> room, const char* name, const Filesystem::Named& named,
                      off_t next_offset);

}  // namespace regfs::fs
