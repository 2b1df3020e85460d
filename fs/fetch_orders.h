// SPDX-License-Identifier: MIT
// What the planner has decided and still has to do, once its mutex is unlocked. What has not been done when it dies,
// for want of memory, is given up: declare it before the lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "fs/fetch_planner.h"

namespace regfs::fs {

struct FetchPlanner::Orders {
  explicit Orders(FetchPlanner& of) : planner(of) {}
  ~Orders() { planner.give_up(*this); }
  Orders(const Orders&) = delete;
  Orders& operator=(const Orders&) = delete;

  struct Start {
    std::shared_ptr<FetchImage> image;
    size_t layer;
    cache::ByteRange range;
    uint64_t number;
    std::shared_ptr<BlobTransfer> transfer;  // null: done
  };
  struct Open {
    std::shared_ptr<FetchImage> image;  // null: done
    size_t layer;
  };
  FetchPlanner& planner;
  std::vector<Start> starts;
  std::vector<BlobSource::DownloadId> cancels;
  std::vector<Open> opens;
};

}  // namespace regfs::fs
