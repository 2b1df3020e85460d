// SPDX-License-Identifier: MIT
#include "fs/fetcher.h"

#include <utility>

#include "fs/fetch_planner.h"

namespace regfs::fs {

Fetcher::Fetcher(BlobSource& source, cache::BlobStore& store, WorkPool& pool, Timer& timer, const Clock& clock,
                 Log& log, FetchLimits limits)
    : store_(store), planner_(std::make_shared<FetchPlanner>(source, pool, timer, clock, log, limits)) {}

Fetcher::~Fetcher() {
  shutdown();
}

std::shared_ptr<ImageFetch> Fetcher::open(std::shared_ptr<const ImageArchive> archive, registry::Repository repository,
                                          std::string name) {
  auto blobs = std::make_shared<ImageBlobs>(store_, std::move(archive), std::move(repository), std::move(name));
  auto image = std::make_shared<FetchImage>(std::move(blobs));
  return std::make_shared<ImageFetch>(std::make_shared<ImageSource>(planner_, std::move(image)));
}

void Fetcher::shutdown() {
  planner_->shutdown();
}

}  // namespace regfs::fs
