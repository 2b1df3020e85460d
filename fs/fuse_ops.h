// SPDX-License-Identifier: MIT
// The kernel's requests, translated for the Filesystem: nothing but translation, and the exception fence.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/mutex.h"
#include "fs/filesystem.h"
#include "fs/fuse_reply.h"

struct fuse_lowlevel_ops;

namespace regfs::fs {

// What every operation finds behind its request; the session's user data. It owns the handles that the
// kernel holds, because the kernel does not give them back when a mount ends. Any thread.
class FuseContext {
 public:
  FuseContext(Filesystem& filesystem_in, Log& log_in, Owner owner_in)
      : filesystem(filesystem_in), log(log_in), owner(owner_in) {}

  Filesystem& filesystem;
  Log& log;
  const Owner owner;

  // A handle is the address of its owner here.
  template <typename T>
  uint64_t keep(std::shared_ptr<T> opened) {
    auto* handle = new Handle{std::move(opened)};
    MutexLock lock(mutex_);
    handles_.insert(std::unique_ptr<Handle>(handle));
    return reinterpret_cast<uint64_t>(handle);
  }
  template <typename T>
  T& kept(uint64_t handle) const {
    return *static_cast<T*>(reinterpret_cast<Handle*>(handle)->opened.get());
  }
  void drop(uint64_t handle);
  void drop_all();

  // What the kernel was told when the mount began, for the log.
  void agree(std::string settings) {
    MutexLock lock(mutex_);
    agreed_ = std::move(settings);
  }
  std::string agreed() const {
    MutexLock lock(mutex_);
    return agreed_;
  }

 private:
  struct Handle {
    std::shared_ptr<void> opened;
  };
  struct ByAddress {
    using is_transparent = void;
    static const Handle* address(const std::unique_ptr<Handle>& handle) { return handle.get(); }
    static const Handle* address(const Handle* handle) { return handle; }
    bool operator()(const auto& a, const auto& b) const { return std::less<>()(address(a), address(b)); }
  };

  mutable Mutex mutex_;
  std::string agreed_ REGFS_GUARDED_BY(mutex_);
  std::set<std::unique_ptr<Handle>, ByAddress> handles_ REGFS_GUARDED_BY(mutex_);
};

// The table of operations; the session's user data must be a FuseContext.
const fuse_lowlevel_ops& fuse_operations();

}  // namespace regfs::fs
