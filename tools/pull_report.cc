// SPDX-License-Identifier: MIT
#include "tools/pull_report.h"

#include "base/log.h"
#include "tools/human_size.h"

namespace regfs {

std::string pull_report(const PullSummary& summary) {
  const uint64_t fetched = summary.layer_bytes > summary.saved_bytes ? summary.layer_bytes - summary.saved_bytes : 0;
  std::string out = "layers " + std::to_string(summary.cached_layers) + " of " + std::to_string(summary.layers) +
                    " from the cache, " + human_size(summary.saved_bytes) + " saved\n";
  out += "time   " + human_elapsed(summary.took);
  if (fetched > 0) {
    out += ", " + human_size(fetched) + " fetched";
    if (summary.took.count() > 0) {
      out += " at " + human_speed(static_cast<double>(fetched) * 1000 / static_cast<double>(summary.took.count()));
    }
  }
  out += "\nfile   " + (summary.path.empty() ? std::string("standard output") : escape_controls(summary.path)) + ", " +
         human_size(summary.archive_bytes) + "\n";
  out += "digest " + escape_controls(summary.reference_digest) + "\n";
  if (!summary.load_line.empty()) out += "load   " + escape_controls(summary.load_line) + "\n";
  return out;
}

std::string escape_all_but_ends(std::string_view text) {
  std::string out;
  for (size_t start = 0;;) {
    const size_t end = text.find('\n', start);
    out += escape_controls(text.substr(start, end - start));
    if (end == std::string_view::npos) return out;
    out += '\n';
    start = end + 1;
  }
}

}  // namespace regfs
