// SPDX-License-Identifier: MIT
// One FUSE mount: the kernel's end of it, and the threads that take its requests.
//
// Threads "fuse-0" … take requests and never wait, so a few do for any number of readers. Owned by
// Mount. mount() and the destructor belong to one thread; the rest may be called on any.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "fs/filesystem.h"

namespace regfs::fs {

struct FuseMountOptions {
  std::string mountpoint;  // absolute
  std::string fsname;      // what `mount` shows as the source
  bool allow_other = false;
  bool default_permissions = false;
};

class FuseSession {
 public:
  // Mounts, and starts serving. `ended` is called once, on a worker, when the last of them has stopped because the
  // mount is gone or stop() was called. `filesystem` and `log` must outlive the session.
  static Result<std::unique_ptr<FuseSession>> mount(Filesystem& filesystem, Log& log, FuseMountOptions options,
                                                    std::function<void()> ended);
  virtual ~FuseSession() = default;  // stop(), unmounts what is still mounted (lazily), drops the kernel's handles

  // Waits until a statfs of the mount answers: from then on it can be used.
  virtual Result<void> wait_until_it_answers() = 0;

  // What the kernel and the mount have agreed on, as one line for the log: "FUSE 7.38: max_background 65535, …".
  // Empty until wait_until_it_answers().
  virtual std::string settings() const = 0;

  // The kernel's pages of these places are dropped. Waits for readers that hold such a page locked: not for a
  // FUSE worker, nor a thread that answers reads.
  virtual void invalidate(const std::vector<Tree::Place>& places) = 0;
  // The kernel asks anew for the attributes of these files; their pages stay. Waits for nobody.
  virtual void invalidate_attributes(const std::vector<Tree::Place>& places) = 0;

  // Workers take no further request, and end. Returns when they have. Idempotent.
  virtual void stop() = 0;
};

}  // namespace regfs::fs
