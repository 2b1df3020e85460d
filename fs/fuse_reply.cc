// SPDX-License-Identifier: MIT
#define FUSE_USE_VERSION 312
#include "fs/fuse_reply.h"

#include <fuse_lowlevel.h>
#include <sys/stat.h>

#include <cerrno>

#include "fs/errno_map.h"
#include "fs/fuse_ops.h"

namespace regfs::fs {
namespace {

constexpr mode_t kFileMode = S_IFREG | 0444;
constexpr mode_t kDirectoryMode = S_IFDIR | 0555;
constexpr blksize_t kPreferredReadBytes = 1 << 20;

double seconds(std::chrono::milliseconds time) {
  return std::chrono::duration<double>(time).count();
}

fuse_entry_param to_entry(const Entry& entry, const Owner& owner) {
  fuse_entry_param out{};
  out.ino = entry.attributes.inode;
  out.attr = to_stat(entry.attributes, owner);
  out.attr_timeout = seconds(entry.attributes.left);
  out.entry_timeout = seconds(entry.left);
  return out;
}

// The question's number travels in the pointer itself: an object could not tell when it may go.
void interrupted(fuse_req_t request, void* id) noexcept {
  auto* context = static_cast<FuseContext*>(fuse_req_userdata(request));
  context->filesystem.interrupt(reinterpret_cast<QuestionId>(id));
}

}  // namespace

struct stat to_stat(const Attributes& attributes, const Owner& owner) {
  struct stat out {};
  out.st_ino = attributes.inode;
  out.st_mode = attributes.is_directory ? kDirectoryMode : kFileMode;
  out.st_nlink = attributes.is_directory ? 2 : 1;
  out.st_uid = owner.user;
  out.st_gid = owner.group;
  out.st_size = static_cast<off_t>(attributes.size_bytes);
  out.st_blocks = static_cast<blkcnt_t>(attributes.blocks);
  out.st_blksize = kPreferredReadBytes;
  out.st_mtim.tv_sec = out.st_ctim.tv_sec = out.st_atim.tv_sec = attributes.modified_seconds;
  return out;
}

FuseReply::~FuseReply() {
  if (request_) fuse_reply_err(take(), EIO);
}

void FuseReply::interrupts(QuestionId id) {
  fuse_req_interrupt_func(request_, interrupted, reinterpret_cast<void*>(id));
}

void FuseReply::entry(Filesystem& filesystem, const Entry& entry, const Owner& owner) {
  fuse_entry_param out = to_entry(entry, owner);
  if (fuse_reply_entry(take(), &out) != 0) filesystem.forget(out.ino, 1);
}

void FuseReply::attributes(const Attributes& attributes, const Owner& owner) {
  struct stat out = to_stat(attributes, owner);
  fuse_reply_attr(take(), &out, seconds(attributes.left));
}

bool FuseReply::opened(const fuse_file_info& file) {
  return fuse_reply_open(take(), &file) == 0;
}

void FuseReply::data(std::span<const std::byte> bytes) {
  fuse_reply_buf(take(), reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void FuseReply::statistics(const struct statvfs& statistics) {
  fuse_reply_statfs(take(), &statistics);
}

void FuseReply::attribute_names_size(size_t bytes) {
  fuse_reply_xattr(take(), bytes);
}

void FuseReply::failed(const Error& error) {
  error_number(to_errno(error));
}

void FuseReply::error_number(int errno_value) {
  fuse_reply_err(take(), errno_value);
}

size_t add_name(fuse_req* request, std::span<char> room, const char* name, const Filesystem::Named& named,
                off_t next_offset) {
  struct stat kind {};
  kind.st_ino = named.inode;
  kind.st_mode = named.is_directory ? kDirectoryMode : kFileMode;
  return fuse_add_direntry(request, room.data(), room.size(), name, &kind, next_offset);
}

size_t add_entry(fuse_req* request, std::span<char> room, const char* name, const Entry& entry, const Owner& owner,
                 off_t next_offset) {
  fuse_entry_param out = to_entry(entry, owner);
  return fuse_add_direntry_plus(request, room.data(), room.size(), name, &out, next_offset);
}

size_t add_bare_entry(fuse_req* request, std::span<char> room, const char* name, const Filesystem::Named& named,
                      off_t next_offset) {
  fuse_entry_param out{};  // ino 0: no lookup is counted
  out.attr.st_ino = named.inode;
  out.attr.st_mode = named.is_directory ? kDirectoryMode : kFileMode;
  return fuse_add_direntry_plus(request, room.data(), room.size(), name, &out, next_offset);
}

}  // namespace regfs::fs
