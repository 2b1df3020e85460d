// SPDX-License-Identifier: MIT
#include "tools/cache_verify.h"

#include <string>
#include <vector>

#include "tools/byte_progress.h"
#include "tools/cache_output.h"
#include "tools/cache_report.h"
#include "tools/exit_code.h"
#include "tools/pull_screen.h"

namespace regfs {
namespace {

using cache::Inventory;

uint64_t published_bytes(const Inventory& inventory) {
  uint64_t sum = 0;
  for (const Inventory::Item& item : inventory.items()) sum += item.complete ? item.size_bytes : 0;
  return sum;
}

VerifySummary verify(Inventory& inventory, Inventory::Repair repair, ByteProgress& progress) {
  VerifySummary summary;
  const auto hashed = [&](uint64_t bytes) {
    summary.bytes += bytes;
    progress.add(bytes);
  };
  for (const Digest& digest : inventory.published()) {
    const Inventory::Checked checked = inventory.check(digest, repair, hashed);
    switch (checked.verdict) {
      case Inventory::Verdict::right: ++summary.blobs; break;
      case Inventory::Verdict::gone: break;
      case Inventory::Verdict::unchecked:
        ++summary.unchecked;
        progress.message("regfs-cache: " + digest.str() + " could not be checked: " + checked.why);
        break;
      case Inventory::Verdict::wrong:
        ++summary.blobs;
        summary.wrong.push_back({digest, checked.why, checked.dropped});
        progress.message("regfs-cache: " + digest.str() + " is damaged" +
                         (checked.dropped ? " and is dropped: " : ": ") + checked.why);
        break;
    }
  }
  return summary;
}

}  // namespace

int verify_cache(const CacheOptions& options, Inventory& inventory, const Clock& clock) {
  VerifySummary summary;
  {
    ByteProgress progress("verifying", published_bytes(inventory), standard_error_terminal(), clock,
                          write_standard_error);
    summary = verify(inventory, options.repair ? Inventory::Repair::yes : Inventory::Repair::no, progress);
  }
  const int printed = print_report(verify_report(summary, options.json ? Form::json : Form::text));
  if (summary.dropped() < summary.wrong.size()) return kBadData;
  if (summary.unchecked > 0) return kDiskFailure;
  return printed;
}

}  // namespace regfs
