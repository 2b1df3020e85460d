// SPDX-License-Identifier: MIT
// What tests of threads put into jobs: a gate to wait at, and a sign of a job's death.
#pragma once

#include <future>
#include <memory>

namespace regfs::test {

// Opened once; whoever passes waits until then.
class Gate {
 public:
  void open() { promise_.set_value(); }
  void pass() const { future_.wait(); }

 private:
  std::promise<void> promise_;
  std::shared_future<void> future_ = promise_.get_future().share();
};

// Calls `callable` when its last copy dies.
template <typename F>
std::shared_ptr<void> at_death(F callable) {
  return {nullptr, [callable](void*) mutable { callable(); }};
}

}  // namespace regfs::test
