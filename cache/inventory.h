// SPDX-License-Identifier: MIT
// What is in a cache directory, for the program that looks after it: lists, checks, evicts and sweeps.
//
// Other processes may use the directory meanwhile: what they have open is locked and stays, and only what is known to
// be wrong, least used or debris goes. Nothing here counts as a use. Makes no file or directory but seals. One thread;
// touches the disk.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "cache/disk.h"
#include "cache/evictor.h"
#include "cache/layout.h"
#include "cache/part_file.h"
#include "cache/published.h"
#include "cache/usage.h"

namespace regfs::cache {

class Inventory {
 public:
  // Errc::not_found where there is no cache directory; Errc::unsupported for one of a newer format.
  static Result<std::unique_ptr<Inventory>> open(const std::string& directory,
                                                 std::shared_ptr<Disk> disk = system_disk());

  Inventory(std::shared_ptr<Disk> disk, const Layout& layout);

  const std::string& directory() const { return layout_.root(); }

  struct Item {
    Digest digest;
    uint64_t size_bytes = 0;       // of the whole blob
    uint64_t present_bytes = 0;    // that could be used now
    uint64_t allocated_bytes = 0;  // on the disk
    int64_t last_use = 0;          // nanoseconds since 1970
    bool complete = false;         // published; otherwise a part

    bool document() const { return complete && size_bytes <= kSmallBlobBytes; }
  };
  // All blobs and parts, the one used last first.
  std::vector<Item> items() const;

  // What all who used it have counted.
  Usage usage() const { return stored_usage(*small_files_, layout_); }

  // Where a published blob is; nullopt when it is not there.
  std::optional<std::string> path_of(const Digest& digest) const;
  // The bytes of a small published blob, verified; nullopt when absent, over max_bytes or wrong.
  std::optional<std::string> document(const Digest& digest, uint64_t max_bytes) const;

  // --- verification ---

  enum class Repair { no, yes };
  enum class Verdict {
    right,
    wrong,      // its bytes are not its own, or cannot be read, or it is no file
    gone,       // evicted or dropped meanwhile
    unchecked,  // it could not be opened or read for want of something, which says nothing of its bytes
  };
  struct Checked {
    Verdict verdict;
    std::string why;       // of what is not right
    bool dropped = false;  // what was wrong is not there any more
  };
  using Hashed = std::function<void(uint64_t bytes)>;

  // What bears the name of a published blob.
  std::vector<Digest> published() const;
  // Hashes all of it; `hashed` hears of each piece. With Repair::yes what is wrong is dropped, as a mount drops it, and
  // what is right is sealed, so that no mount verifies it again.
  Checked check(const Digest& digest, Repair repair, const Hashed& hashed);

  // --- room ---

  struct Evicted {
    uint64_t blobs = 0;
    uint64_t parts = 0;
    uint64_t freed_bytes = 0;  // allocated
    uint64_t left_bytes = 0;
  };
  // The budget of a mount that is given none.
  uint64_t default_bytes() const;
  // Removes what was used least recently, until what is left is no more than that or everything left is in use.
  Evicted evict_to(uint64_t bytes);

  struct Swept {
    uint64_t files = 0;
    uint64_t freed_bytes = 0;
  };
  // Removes what processes that ended left behind and nobody can use.
  Swept sweep();

 private:
  uint64_t present_bytes(const Evictor::Item& item) const;
  Checked dropped(const Digest& digest, const DiskFile& file, const std::string& why, Repair repair);
  void remove_seals_of_nothing();
  std::map<std::string, uint64_t> sweepable() const;  // what a sweep looks at: path → allocated bytes

  const std::shared_ptr<Disk> disk_;
  const std::shared_ptr<SmallFiles> small_files_;
  const Layout layout_;
  const PartTools part_tools_;
  Published published_;
  Evictor evictor_;
};

}  // namespace regfs::cache
