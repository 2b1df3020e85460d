// SPDX-License-Identifier: MIT
#define FUSE_USE_VERSION 312
#include "fs/fuse_ops.h"

#include <fuse_lowlevel.h>
#include <sys/statvfs.h>

#include <cerrno>

namespace regfs::fs {
namespace {

// Reads of whole images park in thousands; with the kernel's default of 12, as many parked reads would
// stop every buffered read of the mount.
constexpr unsigned kMostBackgroundRequests = 65'535;
constexpr unsigned kSplicing = FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE;
// The names "." and ".." stand before the listing.
constexpr off_t kDots = 2;

FuseContext& context_of(fuse_req_t request) {
  return *static_cast<FuseContext*>(fuse_req_userdata(request));
}

// No exception reaches libfuse. The request itself has been answered by then: a dropped reply says EIO.
template <typename F>
void fenced(FuseContext& context, const char* operation, F&& body) noexcept {
  try {
    body();
  } catch (const std::exception& error) {
    context.log.internal_error(operation, error);
  }
}

std::string settings_of(const fuse_conn_info& connection) {
  const auto wants = [&](unsigned capability) { return (connection.want & capability) != 0; };
  const auto limit = [](unsigned bytes) { return bytes == 0 ? std::string("unlimited") : std::to_string(bytes); };
  return "FUSE " + std::to_string(connection.proto_major) + "." + std::to_string(connection.proto_minor) +
         ": max_background " + std::to_string(connection.max_background) + ", congestion_threshold " +
         std::to_string(connection.congestion_threshold) + ", max_readahead " +
         std::to_string(connection.max_readahead) + ", max_read " + limit(connection.max_read) + ", max_write " +
         std::to_string(connection.max_write) + ", async_read " + (wants(FUSE_CAP_ASYNC_READ) ? "on" : "off") +
         ", readdirplus " +
         (!wants(FUSE_CAP_READDIRPLUS)       ? "off"
          : wants(FUSE_CAP_READDIRPLUS_AUTO) ? "auto"
                                             : "on") +
         ", keep_cache on, splice " + (wants(kSplicing) ? "on" : "off");
}

void do_init(void* user_data, fuse_conn_info* connection) {
  // Splicing costs five times the CPU of a copy here, and what never changes need not be asked about.
  connection->want &= ~(kSplicing | static_cast<unsigned>(FUSE_CAP_AUTO_INVAL_DATA));
  connection->max_background = kMostBackgroundRequests;
  connection->congestion_threshold = kMostBackgroundRequests;
  FuseContext& context = *static_cast<FuseContext*>(user_data);
  fenced(context, "init", [&] { context.agree(settings_of(*connection)); });
}

void do_lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  FuseContext& context = context_of(request);
  fenced(context, "lookup", [&] {
    FuseReply reply(request);
    QuestionId id = context.filesystem.next_question();
    reply.interrupts(id);
    context.filesystem.lookup(id, parent, name, [&context, reply = std::move(reply)](Result<Entry> entry) mutable {
      if (!entry) return reply.failed(entry.error());
      reply.entry(context.filesystem, *entry, context.owner);
    });
  });
}

void do_forget(fuse_req_t request, fuse_ino_t inode, uint64_t count) {
  FuseContext& context = context_of(request);
  fenced(context, "forget", [&] { context.filesystem.forget(inode, count); });
  fuse_reply_none(request);
}

void do_forget_multi(fuse_req_t request, size_t count, fuse_forget_data* forgets) {
  FuseContext& context = context_of(request);
  fenced(context, "forget", [&] {
    for (size_t i = 0; i < count; ++i) context.filesystem.forget(forgets[i].ino, forgets[i].nlookup);
  });
  fuse_reply_none(request);
}

void do_getattr(fuse_req_t request, fuse_ino_t inode, fuse_file_info*) {
  FuseContext& context = context_of(request);
  fenced(context, "getattr", [&] {
    FuseReply reply(request);
    reply.attributes(context.filesystem.attributes(inode), context.owner);
  });
}

// --- directories ---

void do_opendir(fuse_req_t request, fuse_ino_t inode, fuse_file_info* file) {
  FuseContext& context = context_of(request);
  fenced(context, "opendir", [&] {
    FuseReply reply(request);
    QuestionId id = context.filesystem.next_question();
    reply.interrupts(id);
    context.filesystem.open_directory(
        id, inode,
        [&context, opened = *file, reply = std::move(reply)](Result<std::shared_ptr<OpenDirectory>> directory) mutable {
          if (!directory) return reply.failed(directory.error());
          opened.fh = context.keep(*std::move(directory));
          if (!reply.opened(opened)) context.drop(opened.fh);
        });
  });
}

// Fills one buffer with names from `offset` on. `add` is given the room that is left, the name's place in the
// listing, the name and the offset behind it, and returns the bytes that the entry needs.
template <typename Add>
void read_directory(fuse_req_t request, size_t size, off_t offset, const OpenDirectory& directory, Add add) {
  FuseReply reply(request);
  std::vector<char> buffer(size);
  size_t used = 0;
  auto names = static_cast<off_t>(directory.listing->names.size());
  for (off_t next = offset; next < names + kDots; ++next) {
    std::span<char> room(buffer.data() + used, size - used);
    size_t needed = 0;
    if (next < kDots) {
      needed = add(room, std::nullopt, next == 0 ? "." : "..", next + 1);
    } else {
      auto index = static_cast<size_t>(next - kDots);
      needed = add(room, index, directory.listing->names[index].name.c_str(), next + 1);
    }
    if (needed > room.size()) break;
    used += needed;
  }
  reply.data(std::as_bytes(std::span(buffer.data(), used)));
}

Filesystem::Named dot(const OpenDirectory& directory, const char* name) {
  return {name[1] == '\0' ? directory.inode : directory.parent_inode, true};
}

void do_readdir(fuse_req_t request, fuse_ino_t, size_t size, off_t offset, fuse_file_info* file) {
  FuseContext& context = context_of(request);
  fenced(context, "readdir", [&] {
    auto& directory = context.kept<OpenDirectory>(file->fh);
    read_directory(request, size, offset, directory,
                   [&](std::span<char> room, std::optional<size_t> index, const char* name, off_t next) {
                     auto named = index ? context.filesystem.named(directory, *index) : dot(directory, name);
                     return add_name(request, room, name, named, next);
                   });
  });
}

void do_readdirplus(fuse_req_t request, fuse_ino_t, size_t size, off_t offset, fuse_file_info* file) {
  FuseContext& context = context_of(request);
  fenced(context, "readdirplus", [&] {
    auto& directory = context.kept<OpenDirectory>(file->fh);
    read_directory(request, size, offset, directory,
                   [&](std::span<char> room, std::optional<size_t> index, const char* name, off_t next) {
                     if (!index) return add_bare_entry(request, room, name, dot(directory, name), next);
                     std::optional<Entry> entry = context.filesystem.known_entry(directory, *index);
                     if (!entry) {
                       return add_bare_entry(request, room, name, context.filesystem.named(directory, *index), next);
                     }
                     size_t needed = add_entry(request, room, name, *entry, context.owner, next);
                     // What does not fit is not told, so its lookup does not count.
                     if (needed > room.size()) context.filesystem.forget(entry->attributes.inode, 1);
                     return needed;
                   });
  });
}

void do_releasedir(fuse_req_t request, fuse_ino_t, fuse_file_info* file) {
  FuseContext& context = context_of(request);
  fenced(context, "releasedir", [&] { context.drop(file->fh); });
  fuse_reply_err(request, 0);
}

// --- files ---

void do_open(fuse_req_t request, fuse_ino_t inode, fuse_file_info* file) {
  FuseContext& context = context_of(request);
  fenced(context, "open", [&] {
    FuseReply reply(request);
    if ((file->flags & O_ACCMODE) != O_RDONLY) return reply.error_number(EROFS);
    // A file node never changes. Without keep_cache, a second open() would wait for the locked page of a
    // stalled first read, unkillably.
    file->keep_cache = 1;
    file->noflush = 1;
    QuestionId id = context.filesystem.next_question();
    reply.interrupts(id);
    context.filesystem.open(
        id, inode,
        [&context, opened = *file, reply = std::move(reply)](Result<std::shared_ptr<ImageFile>> image) mutable {
          if (!image) return reply.failed(image.error());
          opened.fh = context.keep(*std::move(image));
          if (!reply.opened(opened)) context.drop(opened.fh);
        });
  });
}

void do_read(fuse_req_t request, fuse_ino_t, size_t size, off_t offset, fuse_file_info* file) {
  FuseContext& context = context_of(request);
  fenced(context, "read", [&] {
    auto reply = std::make_unique<FuseReadReply>(FuseReply(request));
    context.kept<ImageFile>(file->fh).read(static_cast<uint64_t>(offset), size, std::move(reply));
  });
}

void do_release(fuse_req_t request, fuse_ino_t, fuse_file_info* file) {
  FuseContext& context = context_of(request);
  fenced(context, "release", [&] { context.drop(file->fh); });
  fuse_reply_err(request, 0);
}

// --- the rest ---

void do_statfs(fuse_req_t request, fuse_ino_t) {
  FuseContext& context = context_of(request);
  fenced(context, "statfs", [&] {
    FuseReply reply(request);
    struct statvfs statistics {};
    // What is free is what the cache can still take. All of it is read-only, so nothing is free to the user.
    if (::statvfs(context.filesystem.cache_directory().c_str(), &statistics) != 0) return reply.error_number(errno);
    statistics.f_bfree = statistics.f_bavail = statistics.f_ffree = statistics.f_favail = 0;
    statistics.f_namemax = 255;
    reply.statistics(statistics);
  });
}

void do_getxattr(fuse_req_t request, fuse_ino_t, const char*, size_t) {
  FuseReply(request).error_number(ENODATA);
}

void do_listxattr(fuse_req_t request, fuse_ino_t, size_t size) {
  FuseReply reply(request);
  if (size == 0) return reply.attribute_names_size(0);
  reply.data({});
}

}  // namespace

void FuseContext::drop(uint64_t handle) {
  std::unique_ptr<Handle> dropped;
  MutexLock lock(mutex_);
  auto found = handles_.find(reinterpret_cast<const Handle*>(handle));
  if (found != handles_.end()) dropped = std::move(handles_.extract(found).value());
  lock.unlock();  // before the handle goes: its end may stop a prefetch
}

void FuseContext::drop_all() {
  std::set<std::unique_ptr<Handle>, ByAddress> dropped;
  MutexLock lock(mutex_);
  dropped.swap(handles_);
  lock.unlock();
}

const fuse_lowlevel_ops& fuse_operations() {
  // Writing needs no operation here: the mount is read-only, and the kernel says so itself.
  static const fuse_lowlevel_ops operations = [] {
    fuse_lowlevel_ops table{};
    table.init = do_init;
    table.lookup = do_lookup;
    table.forget = do_forget;
    table.forget_multi = do_forget_multi;
    table.getattr = do_getattr;
    table.opendir = do_opendir;
    table.readdir = do_readdir;
    table.readdirplus = do_readdirplus;
    table.releasedir = do_releasedir;
    table.open = do_open;
    table.read = do_read;
    table.release = do_release;
    table.statfs = do_statfs;
    table.getxattr = do_getxattr;
    table.listxattr = do_listxattr;
    return table;
  }();
  return operations;
}

}  // namespace regfs::fs
