// SPDX-License-Identifier: MIT
// The nodes that the kernel knows: inode numbers, what stands behind each, and lookup counts.
//
// A directory is numbered from its path, an archive from its identity, so numbers are the same over
// remounts (but for two that collide in 63 bits; the later then takes the next free one). Owned by
// Filesystem; safe to use from any thread; never waits.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/mutex.h"
#include "fs/image_facts.h"
#include "fs/location.h"

namespace regfs::fs {

inline constexpr uint64_t kRootInode = 1;

using NodeContent = std::variant<Location, std::shared_ptr<const ImageFacts>>;

class Tree {
 public:
  explicit Tree(Location root);

  // The node of that content, made if need be, with one more lookup counted.
  uint64_t remember(const NodeContent& content);
  // The kernel gives `count` lookups back; at none the node is gone. The root stays.
  void forget(uint64_t inode, uint64_t count);

  // REGFS_CHECKs that the kernel holds the inode: it never asks for one that it gave back.
  NodeContent content(uint64_t inode) const;

  // The number that a node has or would get; counts nothing.
  uint64_t directory_number(const std::string& path) const;
  uint64_t image_number(const ImageIdentity& identity) const;
  // The facts of an archive, if the kernel holds its node.
  std::shared_ptr<const ImageFacts> known_image(const ImageIdentity& identity) const;

  // Where the layer of that digest stands in the archives that the kernel may have pages of.
  struct Place {
    uint64_t inode;
    uint64_t offset;
    uint64_t length;
  };
  std::vector<Place> places_of(const Digest& digest) const;

  size_t size() const;  // nodes, the root included

 private:
  struct Node {
    std::string key;
    NodeContent content;
    uint64_t lookups;
  };
  uint64_t slot(const std::string& key) const REGFS_REQUIRES(mutex_);
  uint64_t number(const std::string& key) const;

  mutable Mutex mutex_;
  std::map<uint64_t, Node> nodes_ REGFS_GUARDED_BY(mutex_);
};

}  // namespace regfs::fs
