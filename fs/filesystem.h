// SPDX-License-Identifier: MIT
// The mounted tree, without the kernel: what each operation answers.
//
// No call here blocks for the network. LOOKUP, OPENDIR and OPEN are answered through a callback, at
// once when memory knows and otherwise from a resolver or reply thread within their time limit; the
// rest returns. Owned by Mount; safe to use from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/job.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/timer.h"
#include "base/work_pool.h"
#include "cache/ref_store.h"
#include "cache/store.h"
#include "fs/fetcher.h"
#include "fs/image_file.h"
#include "fs/name_rules.h"
#include "fs/questions.h"
#include "fs/tree.h"
#include "registry/client.h"

namespace regfs::fs {

struct FilesystemOptions {
  std::optional<std::string> host;  // the root's; nullopt: every registry
  std::chrono::milliseconds tag_ttl{60'000};
  std::chrono::milliseconds lookup_timeout{10'000};
  std::chrono::milliseconds list_timeout{60'000};
  std::chrono::milliseconds read_timeout{90'000};
  bool offline = false;  // names are what they were when last asked
};

// All must outlive the filesystem.
struct FilesystemParts {
  registry::Client& client;
  cache::BlobStore& store;
  cache::RefStore& refs;
  Fetcher& fetcher;
  WorkPool& resolvers;  // waits for registries
  WorkPool& replies;    // never does
  Timer& timer;
  const Clock& clock;
  Log& log;
};

struct Attributes {
  uint64_t inode;
  bool is_directory;
  uint64_t size_bytes;
  uint64_t blocks;  // of 512 bytes, in the cache
  int64_t modified_seconds;
  std::chrono::milliseconds left;  // how long they hold
};

struct Entry {
  Attributes attributes;
  std::chrono::milliseconds left;  // how long the name means this
};

// What OPENDIR found; READDIR reads on in it, whatever the registry says meanwhile.
struct OpenDirectory {
  Location location;
  uint64_t inode;
  uint64_t parent_inode;
  std::shared_ptr<const Listing> listing;
  std::chrono::steady_clock::time_point listed;
};

class Filesystem {
 public:
  Filesystem(FilesystemParts parts, FilesystemOptions options);
  ~Filesystem();

  QuestionId next_question() { return next_question_++; }

  // The entry's node has one more lookup counted when `answer` runs; whoever cannot deliver it forgets one.
  void lookup(QuestionId id, uint64_t parent, const std::string& name, Once<Result<Entry>> answer);
  void open_directory(QuestionId id, uint64_t inode, Once<Result<std::shared_ptr<OpenDirectory>>> answer);
  void open(QuestionId id, uint64_t inode, Once<Result<std::shared_ptr<ImageFile>>> answer);
  void interrupt(QuestionId id);

  Attributes attributes(uint64_t inode) const;
  bool is_directory(uint64_t inode) const;
  void forget(uint64_t inode, uint64_t count) { tree_.forget(inode, count); }

  // One name of an open directory: its number, and its kind.
  struct Named {
    uint64_t inode;
    bool is_directory;
  };
  Named named(const OpenDirectory& directory, size_t index) const;
  // The name as an entry with a lookup counted, if its attributes are known without asking.
  std::optional<Entry> known_entry(const OpenDirectory& directory, size_t index);

  // The archives' pages that hold a layer whose bytes were wrong.
  std::vector<Tree::Place> places_of(const Digest& digest) const { return tree_.places_of(digest); }
  const std::string& cache_directory() const { return parts_.store.directory(); }

  // Answers all that waits for names, and all that comes, with Errc::shutting_down. Idempotent.
  void shutdown();

 private:
  using OpenImage = std::shared_ptr<const ImageArchive>;

  Location directory(uint64_t inode) const;
  std::shared_ptr<const ImageFacts> image(uint64_t inode) const;
  Entry remembered(const Child& child);
  Attributes attributes_of(uint64_t inode, const NodeContent& content) const;
  void expect_neighbours(const Location& parent, const ImageFacts& found);
  std::shared_ptr<ImageFile> opened(uint64_t inode, const ImageFacts& facts, OpenImage archive);
  Result<OpenImage> archive_of(const ImageFacts& facts, Ask ask);

  const FilesystemParts parts_;
  const FilesystemOptions options_;
  const int64_t mounted_seconds_;
  ReadServices read_services_;
  ImageResolver resolver_;
  NameRules rules_;
  ExpiringMap<std::string, Error> outages_;
  ExpiringMap<std::string, std::string> recent_platforms_;  // by directory: the platform looked up last
  ExpiringMap<std::string, bool> expected_;                 // by directory: its other platforms are being fetched
  Tree tree_;
  const std::shared_ptr<Questions<Child>> lookups_;
  const std::shared_ptr<Questions<std::shared_ptr<const Listing>>> listings_;
  const std::shared_ptr<Questions<OpenImage>> opens_;
  std::atomic<QuestionId> next_question_{1};
  Mutex mutex_;
  std::map<uint64_t, std::weak_ptr<ImageFetch>> open_images_ REGFS_GUARDED_BY(mutex_);  // by inode
};

}  // namespace regfs::fs
