// SPDX-License-Identifier: MIT
#include "fs/tree.h"

#include "base/check.h"
#include "base/sha256.h"

namespace regfs::fs {
namespace {

constexpr uint64_t kFirstFreeInode = 2;  // 0 is none, 1 the root

std::string directory_key(const std::string& path) {
  return "directory/" + path;
}

std::string key_of(const NodeContent& content) {
  if (const auto* location = std::get_if<Location>(&content)) return directory_key(location->path);
  return std::get<std::shared_ptr<const ImageFacts>>(content)->identity.key();
}

// 63 bits: some programs take an inode number for signed.
uint64_t hashed(const std::string& key) {
  Digest digest = sha256_of(key);
  uint64_t number = 0;
  for (size_t i = 0; i < sizeof number; ++i) number = number << 8 | digest.bytes()[i];
  number >>= 1;
  return number < kFirstFreeInode ? number + kFirstFreeInode : number;
}

}  // namespace

Tree::Tree(Location root) {
  nodes_.emplace(kRootInode, Node{directory_key(""), std::move(root), 1});
}

// The inode that holds `key`, or the free one where it would go.
uint64_t Tree::slot(const std::string& key) const {
  if (key == directory_key("")) return kRootInode;
  uint64_t inode = hashed(key);
  for (auto node = nodes_.find(inode); node != nodes_.end() && node->second.key != key; node = nodes_.find(inode)) {
    ++inode;
  }
  return inode;
}

uint64_t Tree::remember(const NodeContent& content) {
  std::string key = key_of(content);
  MutexLock lock(mutex_);
  uint64_t inode = slot(key);
  auto [node, made] = nodes_.try_emplace(inode, Node{std::move(key), content, 0});
  ++node->second.lookups;
  return inode;
}

void Tree::forget(uint64_t inode, uint64_t count) {
  MutexLock lock(mutex_);
  auto node = nodes_.find(inode);
  if (inode == kRootInode || node == nodes_.end()) return;
  node->second.lookups -= std::min(count, node->second.lookups);
  if (node->second.lookups == 0) nodes_.erase(node);
}

NodeContent Tree::content(uint64_t inode) const {
  MutexLock lock(mutex_);
  auto node = nodes_.find(inode);
  REGFS_CHECK(node != nodes_.end(), "the kernel asks for an inode that it does not hold");
  return node->second.content;
}

uint64_t Tree::number(const std::string& key) const {
  MutexLock lock(mutex_);
  return slot(key);
}

uint64_t Tree::directory_number(const std::string& path) const {
  return number(directory_key(path));
}

uint64_t Tree::image_number(const ImageIdentity& identity) const {
  return number(identity.key());
}

std::shared_ptr<const ImageFacts> Tree::known_image(const ImageIdentity& identity) const {
  std::string key = identity.key();
  MutexLock lock(mutex_);
  auto node = nodes_.find(slot(key));
  if (node == nodes_.end()) return nullptr;
  return std::get<std::shared_ptr<const ImageFacts>>(node->second.content);
}

std::vector<Tree::Place> Tree::places_of(const Digest& digest) const {
  MutexLock lock(mutex_);
  std::vector<Place> places;
  for (const auto& [inode, node] : nodes_) {
    const auto* image = std::get_if<std::shared_ptr<const ImageFacts>>(&node.content);
    if (!image) continue;
    for (const LayerPlace& layer : (*image)->layers) {
      if (layer.digest == digest) places.push_back({inode, layer.archive_offset, layer.size_bytes});
    }
  }
  return places;
}

size_t Tree::size() const {
  MutexLock lock(mutex_);
  return nodes_.size();
}

}  // namespace regfs::fs
