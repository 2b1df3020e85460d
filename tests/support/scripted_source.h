// SPDX-License-Identifier: MIT
// A registry's bytes at the test's command: remembers what was asked, and sends what it is told to, when
// it is told to. Safe to use from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "fs/blob_source.h"

namespace regfs::test {

struct AskedRange {
  uint64_t id;
  registry::BlobRange range;
};

// What goes wrong while a source serves by itself.
struct Mishaps {
  uint32_t one_in = 0;  // steps, each of which sends a piece otherwise; 0: none
  // Lets a request of that blob fail by calling `fail`; on the serving thread.
  std::function<void(const Digest&, const std::function<void()>& fail)> meet = {};
  uint64_t piece_bytes = 256 << 10;  // at most
};

class ScriptedSource : public fs::BlobSource {
 public:
  ~ScriptedSource() override;

  void hold(const std::string& bytes);
  // These are sent under the digest of others.
  void hold(const Digest& digest, const std::string& bytes);

  std::vector<AskedRange> asked() const;    // all there ever were, in order
  std::vector<AskedRange> running() const;  // not ended yet
  std::vector<AskedRange> cancelled() const;
  size_t most_at_once() const;
  // How many calls of cancel() have been inside each other. At kDeepest the request ends later, with the next step.
  static constexpr int kDeepest = 40;
  int deepest_cancel() const;
  // Waits until that many were asked, or run; false after 20 s.
  bool wait_asked(size_t count);
  bool wait_running(size_t count);

  // The next bytes of a request, all that is left of it if nothing is said. A request that has got all ends well, one
  // whose sink refuses with its error. Before the first of them the sink hears that it begins.
  void send(uint64_t id, uint64_t length = UINT64_MAX);
  void begin(uint64_t id, bool sends_all = false);
  void spare(uint64_t id, uint64_t offset, uint64_t length);  // bytes of the blob that nobody asked this request for
  void interrupt(uint64_t id);
  void fail(uint64_t id, const Error& error);
  // Answers everything that runs, on this thread, until nothing does. Where a prefetch runs the next request may still
  // be on its way: serve() then.
  void send_all();
  // Until the end of the test: sends pieces of random requests in random order, on a thread of its own.
  void serve(uint32_t seed, Mishaps mishaps = {});
  // From now on all goes well.
  void spare_the_rest();

  // From now on download() throws, or no more.
  void run_out_of_memory(bool out);

  DownloadId download(registry::BlobRange range, std::shared_ptr<registry::BodySink> sink) override;
  void cancel(DownloadId id) override;

 private:
  struct Request {
    registry::BlobRange range;
    std::shared_ptr<registry::BodySink> sink;  // null once ended
    uint64_t sent = 0;
    bool begun = false;
    bool cancelled = false;
  };
  std::vector<AskedRange> those(const std::function<bool(const Request&)>& which) const;
  void end(uint64_t id, Result<void> outcome, bool by_cancel);
  void end_those_cancelled();
  void run(uint32_t seed, const Mishaps& mishaps);

  mutable Mutex mutex_;
  CondVar changed_;
  std::map<Digest, std::string> contents_ REGFS_GUARDED_BY(mutex_);
  std::map<uint64_t, Request> requests_ REGFS_GUARDED_BY(mutex_);
  size_t running_ REGFS_GUARDED_BY(mutex_) = 0;
  size_t most_at_once_ REGFS_GUARDED_BY(mutex_) = 0;
  bool stopping_ REGFS_GUARDED_BY(mutex_) = false;
  bool out_of_memory_ REGFS_GUARDED_BY(mutex_) = false;
  bool sparing_ REGFS_GUARDED_BY(mutex_) = false;
  int deepest_cancel_ REGFS_GUARDED_BY(mutex_) = 0;
  std::vector<uint64_t> cancelled_later_ REGFS_GUARDED_BY(mutex_);
  std::thread server_;
};

}  // namespace regfs::test
