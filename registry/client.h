// SPDX-License-Identifier: MIT
// What one can ask a registry: the tags of a repository, the names of its repositories, what a tag means, a manifest, a
// small blob, and the bytes of a blob.
//
// The first five are names: they wait, in straight-line code, on the calling thread (a resolver
// thread), with the challenge → token → retry dance, back-off, Retry-After and redirects inside. The
// last is bytes: it returns at once and works from the http thread and the worker pool, holding no
// thread while it waits.
//
// Each call is bounded by ClientOptions; errors are sentences that name the host, the HTTP status and
// the registry's own words, never a secret nor a URL's query. Owned by Mount; safe to use from any
// thread; calls after shutdown() fail with Errc::shutting_down.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/result.h"
#include "base/timer.h"
#include "base/work_pool.h"
#include "registry/body_sink.h"
#include "registry/credentials.h"
#include "registry/manifest.h"
#include "registry/reference.h"
#include "registry/tls_trust.h"
#include "registry/transport.h"

namespace regfs::registry {

struct ClientOptions {
  std::chrono::milliseconds connect_timeout{10'000};
  // First byte, a stall below 1 KiB/s, and the longest Retry-After that is obeyed.
  std::chrono::milliseconds timeout{30'000};
  int attempts = 5;                              // without progress; a byte that arrives starts the count anew
  std::chrono::milliseconds backoff_first{250};  // doubles, with jitter
  std::chrono::milliseconds backoff_longest{8'000};
  std::set<std::string> insecure_hosts;      // HOST or HOST:PORT: TLS unverified, then plain http
  std::string user_agent;                    // "regfs/0.1.0"
  TlsOptions tls;                            // whom TLS trusts besides the system
  std::shared_ptr<Credentials> credentials;  // null: nobody has any
};

struct TagList {
  std::vector<std::string> tags;      // each a valid tag, once, as listed
  std::vector<std::string> children;  // components below the repository, where the registry says (Google's)
};

struct Catalog {
  std::vector<std::string> repositories;  // each a valid name, as listed
  bool complete = false;                  // the list came to its end, and nothing of it was left out
};

struct ManifestHead {
  std::optional<Digest> digest;  // Docker-Content-Digest, where the registry sends a valid one: a hint, never a key
  std::string media_type;        // without parameters, may be empty
};

struct FetchedManifest {
  std::string body;        // the entity as the registry stores it
  Digest digest;           // computed from the body; equals the one asked for when asked by digest
  std::string media_type;  // Content-Type without parameters
};

// A contiguous piece of a blob, [offset, offset + length) of size_bytes.
struct BlobRange {
  Repository repository;
  Digest digest;
  uint64_t size_bytes;
  uint64_t offset;
  uint64_t length;
  std::vector<std::string> urls;  // of a foreign layer: asked without any credential after the registry's 404
};

class Client {
 public:
  // All must outlive the client. `pool` runs the decisions of downloads; its jobs never wait long.
  // Token requests and other names that a download needs run there too, keyed by host.
  Client(Transport& transport, WorkPool& pool, Timer& timer, const Clock& clock, Log& log, ClientOptions options);
  ~Client();  // shutdown()

  // May wait. All pages by Link (relative or absolute, same scheme and host only); names that are no tags are
  // skipped and counted in the log. A page that fails fails the list. Ends at 2,000 pages, 500,000
  // names or 64 MiB, or a Link seen before.
  Result<TagList> tags(const Repository& repository);

  // May wait, for `at_most` and what one request may take. The repositories of a host by _catalog, in pages as above,
  // as far as they came: many registries have none, or not for everybody, and those known for it are not asked. Asked
  // once, and an error only when the first page is.
  Result<Catalog> catalog(const std::string& host, std::chrono::milliseconds at_most);

  // May wait. HEAD; 405 and the like fall back to GET, whose body is then thrown away.
  Result<ManifestHead> head_manifest(const Reference& reference);

  // May wait. GET with the four media types in Accept; at most kMaxManifestBytes after decoding.
  Result<FetchedManifest> manifest(const Reference& reference);

  // May wait. A config: descriptor.size_bytes exactly, at most kMaxConfigBytes, digest verified.
  Result<std::string> small_blob(const Repository& repository, const Descriptor& descriptor);

  // Returns at once. The whole blob is asked without Range when the range is all of it. The bytes are
  // not verified here; their count is (never beyond the range, never a status other than 200 or a
  // matching 206 taken for bytes). Broken transfers resume at the byte reached.
  using DownloadId = uint64_t;
  // If it throws, for want of memory, the sink hears nothing.
  DownloadId download(BlobRange range, std::shared_ptr<BodySink> sink);
  // The sink's finished() is called with Errc::cancelled unless it has been called already; no
  // write() follows the return of finished(). Never called with a lock held that the sink takes.
  void cancel(DownloadId id);

  // Ends every call and download with Errc::shutting_down. Idempotent.
  void shutdown();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace regfs::registry
